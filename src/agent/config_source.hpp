// The config that a run works with: the server's, fetched now; where it is away, the last one it gave (cached); in
// legacy mode what stands in config.json. The kill switch fails closed: `enabled: false` and a revocation are
// remembered until the server says otherwise.
#pragma once

#include "agent/control_plane.hpp"
#include "agent/environment.hpp"
#include "agent/local_config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xentz::agent {

enum class config_origin { server, cache, local };
std::string_view name(config_origin o);

struct effective_config {
    config_origin origin = config_origin::local;
    wire::device_config config; // the machine's own includes and excludes are merged in
    base::time_point fetched_at;
    // Why the cache is used; absent where the server answered.
    std::optional<base::fault> fetch_fault;
    // How far this machine's clock is ahead of the server's (behind: negative); absent where the server did not say.
    std::optional<std::chrono::seconds> clock_skew;
    // What the server's config requires and this agent does not know: why it was refused.
    std::vector<std::string> unsupported;
};

struct cached_config {
    std::uint32_t format = 1;
    std::string etag;
    base::time_point fetched_at; // or confirmed by 304
    bool revoked = false;
    wire::json::value config;
};
BOOST_DESCRIBE_STRUCT(cached_config, (), (format, etag, fetched_at, revoked, config))

// When the server last said that the cached config still holds. A file of its own (state/contact.json) that is not
// synced: it changes with every run, and a power cut may take it.
struct confirmation {
    std::uint32_t format = 1;
    std::string etag; // of the config that it is about
    base::time_point confirmed_at;
};
BOOST_DESCRIBE_STRUCT(confirmation, (), (format, etag, confirmed_at))

// With the time of its last confirmation as fetched_at.
std::optional<cached_config> load_cached_config(os::files& fs, const home& h);

// The config that it holds; nothing where there is none in it (a device that was sent away before it had one), or it
// cannot be read.
std::optional<wire::device_config> config_in(const cached_config& c);
// Of the cache, as it is: what is known of the server's config without asking.
std::optional<wire::device_config> known_config(environment& env);

// config_missing where neither the server nor the cache has one, device_revoked where the server sent the device away.
base::result<effective_config> load_config(environment& env, const local_config& local, control_plane* server,
                                           std::stop_token stop);

// How far a clock may differ from the server's before what depends on it (retention, the age of reports) waits.
constexpr std::chrono::minutes most_clock_skew{5};
bool is_clock_wrong(const std::optional<std::chrono::seconds>& skew);
// "this machine's clock is 12 minutes ahead of the server's"
std::string describe_skew(std::chrono::seconds skew);

// Each entry of `from` that `to` does not have yet, in its order.
void add_missing(std::vector<std::string>& to, const std::vector<std::string>& from);

// Everything that must hold before a config replaces the cached one; the message names the field.
base::result<> validate(const wire::device_config& c);

http::client_options client_options_of(const local_config& local, const std::string& agent_version);

} // namespace xentz::agent
