#include "agent/config_source.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::uint64_t most_cache_bytes = std::uint64_t{16} << 20U;

result<effective_config> from_cache(const cached_config& cached)
{
    auto config = wire::decode_config(wire::print_json(cached.config));
    if (!config) return base::failed(config);
    return effective_config{config_origin::cache, std::move(*config), cached.fetched_at, std::nullopt};
}

void store_cache(environment& env, const cached_config& c)
{
    const auto stored = os::write_atomic(env.files, env.home.cached_config(), wire::pretty_json(wire::to_json(c)));
    if (!stored) env.log.warn("the config could not be cached: " + base::sentence(stored.error()));
}

void store_confirmation(environment& env, const confirmation& c)
{
    const auto text = wire::pretty_json(wire::to_json(c));
    const auto stored = os::write_without_sync(env.files, env.home.contact(), text);
    if (!stored) env.log.warn("the time of the config could not be kept: " + base::sentence(stored.error()));
}

std::unexpected<base::fault> revoked()
{
    return fail(fault_code::device_revoked, "the control plane has revoked this device",
                "Ask an administrator; a new install token enrols the machine again");
}

// The server's answer, checked and cached.
result<effective_config> from_server(environment& env, const local_config& local, control_plane& server,
                                     const std::optional<cached_config>& cached, std::vector<std::string>& unsupported,
                                     std::stop_token stop)
{
    // A revoked device asks without the tag: only a full answer can lift it. So does one whose cache is damaged: "not
    // changed" would be of no use to it.
    const bool usable = cached && !cached->revoked && !cached->etag.empty() && from_cache(*cached);
    const auto tag = usable ? std::optional{cached->etag} : std::nullopt;
    auto fetched = server.config(*local.device_api_key, tag, stop);
    if (!fetched) {
        if (fetched.error().code == fault_code::device_revoked) {
            auto marked = cached.value_or(cached_config{.fetched_at = env.clock.now(), .config = wire::json::object{}});
            marked.revoked = true;
            store_cache(env, marked);
        }
        return base::failed(fetched);
    }
    const auto now = env.clock.now();
    if (!*fetched) {
        auto confirmed = *cached;
        confirmed.fetched_at = now;
        auto effective = from_cache(confirmed);
        if (!effective) return effective;
        store_confirmation(env, {.etag = confirmed.etag, .confirmed_at = now});
        effective->origin = config_origin::server;
        return effective;
    }
    auto& fresh = **fetched;
    unsupported = fresh.config.requires_features.value_or(std::vector<std::string>{});
    if (auto ok = validate(fresh.config); !ok)
        return fail(fault_code::config_refused, "the server's config cannot be used: " + ok.error().message,
                    "Ask the server's administrator to mend the policy");
    auto body = wire::parse_json(fresh.body);
    if (!body) return base::failed(body);
    store_cache(env, {.etag = fresh.etag, .fetched_at = now, .config = std::move(*body)});
    return effective_config{config_origin::server, std::move(fresh.config), now, std::nullopt};
}

std::optional<std::chrono::seconds> skew_of(const environment& env, const control_plane& server)
{
    if (!server.server_time()) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(env.clock.now() - *server.server_time());
}

result<effective_config> managed_config(environment& env, const local_config& local, control_plane& server,
                                        std::stop_token stop)
{
    const auto cached = load_cached_config(env.files, env.home);
    std::vector<std::string> unsupported;
    auto effective = from_server(env, local, server, cached, unsupported, stop);
    const auto skew = skew_of(env, server);
    if (effective) effective->clock_skew = skew;
    if (effective || effective.error().code == fault_code::device_revoked) return effective;
    const auto why = effective.error();
    if (cached && cached->revoked) return revoked();
    if (!cached || cached->config.get_object().empty())
        return fail(fault_code::config_missing, "there is no config: " + why.message + ", and none was cached before",
                    why.remedy.empty() ? "Make sure that the server can be reached, and run it again" : why.remedy);
    auto fallback = from_cache(*cached);
    if (!fallback)
        return fail(fault_code::config_missing,
                    "there is no config: " + why.message + ", and the cached one is damaged", why.remedy);
    fallback->fetch_fault = why;
    fallback->clock_skew = skew;
    fallback->unsupported = std::move(unsupported);
    env.log.warn("using the config of " + base::to_rfc3339(cached->fetched_at) + ": " + why.message);
    return fallback;
}

// Each entry of the machine's own list that the server's does not have; an absent list stays absent where there is
// none.
template <class T>
void add_own(std::optional<std::vector<T>>& to, const std::vector<T>& own)
{
    if (own.empty()) return;
    if (!to) to.emplace();
    for (const auto& item : own)
        if (std::ranges::find(*to, item) == to->end()) to->push_back(item);
}

effective_config legacy_config(const local_config& local)
{
    effective_config e;
    e.config.enabled = local.enabled;
    e.config.schedule = local.schedule;
    static_cast<domain::restic_options&>(e.config.restic) = static_cast<const domain::restic_options&>(local.restic);
    e.config.restic.repository = local.restic.repository;
    e.config.retention = local.retention;
    e.config.check = local.check;
    e.config.conditions = local.conditions;
    return e;
}

} // namespace

void add_missing(std::vector<std::string>& to, const std::vector<std::string>& from)
{
    for (const auto& item : from)
        if (std::ranges::find(to, item) == to.end()) to.push_back(item);
}

std::string_view name(config_origin o)
{
    switch (o) {
    case config_origin::server:
        return "server";
    case config_origin::cache:
        return "cache";
    case config_origin::local:
        return "local";
    }
    return "local";
}

bool is_clock_wrong(const std::optional<std::chrono::seconds>& skew)
{
    return skew && (*skew > most_clock_skew || *skew < -most_clock_skew);
}

std::string describe_skew(std::chrono::seconds skew)
{
    const bool ahead = skew.count() >= 0;
    const auto by = std::chrono::milliseconds{ahead ? skew : -skew};
    return "this machine's clock is " + base::to_words(by) + (ahead ? " ahead of" : " behind") + " the server's";
}

std::optional<cached_config> load_cached_config(os::files& fs, const home& h)
{
    const auto text = os::read_all(fs, h.cached_config(), most_cache_bytes);
    if (!text) return std::nullopt;
    auto cached = wire::decode<cached_config>(*text);
    if (!cached || !cached->config.is_object()) return std::nullopt;
    const auto contact = os::read_all(fs, h.contact(), most_cache_bytes);
    const auto confirmed = contact ? wire::decode<confirmation>(*contact) : fail(fault_code::not_found, "");
    if (confirmed && confirmed->etag == cached->etag)
        cached->fetched_at = std::max(cached->fetched_at, confirmed->confirmed_at);
    return std::move(*cached);
}

std::optional<wire::device_config> config_in(const cached_config& c)
{
    if (c.config.get_object().empty()) return std::nullopt;
    auto config = wire::decode_config(wire::print_json(c.config));
    return config ? std::optional{std::move(*config)} : std::nullopt;
}

std::optional<wire::device_config> known_config(environment& env)
{
    const auto cached = load_cached_config(env.files, env.home);
    return cached ? config_in(*cached) : std::nullopt;
}

result<> validate(const wire::device_config& c)
{
    if (auto ok = domain::validate(c.schedule); !ok) return ok;
    if (auto ok = domain::validate_include(c.include, domain::most_config_paths); !ok) return ok;
    if (auto ok = domain::validate_exclude(c.exclude); !ok) return ok;
    if (auto ok = domain::validate(c.restic); !ok) return ok;
    if (auto ok = domain::validate(c.retention); !ok) return ok;
    if (auto ok = domain::validate(c.check.value_or(domain::check_options{})); !ok) return ok;
    if (auto ok = domain::validate_hooks(c.hooks.value_or(std::vector<domain::hook>{})); !ok) return ok;
    if (auto ok = domain::validate_dumps(c.dumps.value_or(std::vector<std::string>{})); !ok) return ok;
    if (auto ok = domain::validate(c.conditions.value_or(domain::conditions{})); !ok) return ok;
    if (auto ok = domain::validate_commands(c.commands.value_or(std::vector<domain::command>{})); !ok) return ok;
    // Other back ends let restic start programs: a stolen control plane must not run commands on the fleet.
    const auto& address = c.restic.repository;
    if (!address.starts_with("rest:http://") && !address.starts_with("rest:https://"))
        return fail(fault_code::invalid_value, "restic.repository must be a rest:http(s):// address");
    if (address.size() > 4096 || address.find_first_of(std::string_view{"\0\n\r", 3}) != std::string::npos)
        return fail(fault_code::invalid_value, "restic.repository is too long or contains a NUL or a line break");
    if (c.requires_features && !c.requires_features->empty())
        return fail(fault_code::invalid_value,
                    "requires: this agent does not know \"" + c.requires_features->front() + "\"; it is too old");
    return {};
}

result<effective_config> load_config(environment& env, const local_config& local, control_plane* server,
                                     std::stop_token stop)
{
    auto effective =
        server != nullptr ? managed_config(env, local, *server, stop) : result<effective_config>{legacy_config(local)};
    if (!effective) return effective;
    add_missing(effective->config.include, local.include);
    add_missing(effective->config.exclude, local.exclude);
    add_own(effective->config.hooks, local.hooks);
    add_own(effective->config.dumps, local.dumps);
    auto with_credential = local;
    with_credential.restic.repository = effective->config.restic.repository;
    learn_secrets(with_credential, env.files, *env.secrets);
    return effective;
}

http::client_options client_options_of(const local_config& local, const std::string& agent_version)
{
    http::client_options o;
    if (local.ca_file) o.ca_file = *local.ca_file;
    o.allow_http = local.allow_http;
    o.user_agent = "xentz-agent/" + agent_version;
    return o;
}

} // namespace xentz::agent
