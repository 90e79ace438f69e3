#include "agent/preflight.hpp"

#include "agent/rest_repository.hpp"
#include "crypto/hash.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::string_view rest = "rest:";
constexpr std::uint64_t most_config_bytes = std::uint64_t{1} << 20U;

result<repository_look> ask_over_http(const std::string& address, http::client& client, std::stop_token stop)
{
    auto repository = rest_repository::at(address, client);
    if (!repository) return base::failed(repository);
    auto hash = repository->config_hash(std::move(stop));
    if (!hash) return base::failed(hash);
    repository_look look;
    look.present = hash->has_value();
    look.fingerprint = std::move(*hash);
    look.server_time = repository->server_time();
    return look;
}

result<repository_look> ask_the_engine(engine::session& session, std::stop_token stop)
{
    auto id = session.repository_id(std::move(stop));
    if (id) return repository_look{.present = true, .id = std::move(*id)};
    if (id.error().code == fault_code::repository_missing) return repository_look{};
    return base::failed(id);
}

} // namespace

std::optional<std::filesystem::path> local_repository(const std::string& address)
{
    constexpr std::string_view local = "local:";
    if (address.starts_with('/')) return address;
    if (address.starts_with(local)) return address.substr(local.size());
    return std::nullopt;
}

result<repository_look> look_at_repository(os::files& fs, const std::string& address, http::client& client,
                                           engine::session& session, std::stop_token stop)
{
    if (rest_repository::is_rest(address)) return ask_over_http(address, client, stop);
    if (const auto folder = local_repository(address))
        if (const auto config = os::read_all(fs, *folder / "config", most_config_bytes))
            return repository_look{.present = true, .fingerprint = crypto::sha256_hex(*config)};
    return ask_the_engine(session, stop);
}

result<> require_repository(os::files& fs, const std::string& address, http::client& client, engine::session& session,
                            std::stop_token stop)
{
    const auto look = look_at_repository(fs, address, client, session, std::move(stop));
    if (!look) return std::unexpected(look.error());
    if (look->present) return {};
    return fail(fault_code::repository_missing, "there is no repository at " + without_credential(address),
                "Nothing was backed up yet: run `xentz-agent backup` first");
}

std::string without_credential(const std::string& address)
{
    const bool is_rest = address.starts_with(rest);
    const auto parts = http::parse_url(is_rest ? std::string_view{address}.substr(rest.size()) : address);
    // A malformed address may hold a password as well.
    if (!parts) return base::redactor{}.clean(address);
    return (is_rest ? std::string{rest} : "") + parts->url;
}

} // namespace xentz::agent
