#include "agent/machine_setup.hpp"

#include "agent/config_source.hpp"
#include "agent/repository_pin.hpp"
#include "crypto/secrets.hpp"
#include "os/system.hpp"

namespace xentz::agent {
namespace {

using base::fault_code;
using base::result;

constexpr std::uint64_t most_small_bytes = 65536;

// A try that is under way.
struct pending_call {
    std::uint32_t format = 1;
    std::string server_url;
    std::string token_hash;
    std::string idempotency_key;
};
BOOST_DESCRIBE_STRUCT(pending_call, (), (format, server_url, token_hash, idempotency_key))

} // namespace

result<setup_locks> lock_for_setup(environment& env, const std::string& who)
{
    if (auto ok = prepare(env.files, env.home); !ok) return base::failed(ok);
    const auto holder = who + ", process " + std::to_string(env.process_id);
    auto run = os::try_lock(env.home.lock(), holder);
    if (!run) return base::failed(run);
    auto config = os::try_lock(env.home.config_lock(), holder);
    if (!config) return base::failed(config);
    return setup_locks{std::move(*run), std::move(*config)};
}

result<std::string> idempotency_key(environment& env, const std::filesystem::path& file, const std::string& server_url,
                                    const std::string& token)
{
    const auto hash = crypto::token_hash(token);
    if (const auto text = os::read_all(env.files, file, most_small_bytes))
        if (const auto p = wire::decode<pending_call>(*text); p && p->server_url == server_url && p->token_hash == hash)
            return p->idempotency_key;
    const pending_call fresh{
        .server_url = server_url, .token_hash = hash, .idempotency_key = base::make_id_text("try", env.random)};
    if (auto ok = os::write_atomic(env.files, file, wire::pretty_json(wire::to_json(fresh))); !ok)
        return base::failed(ok);
    return fresh.idempotency_key;
}

std::unique_ptr<http::client> connect(environment& env, const std::optional<std::string>& ca_file, bool allow_http)
{
    local_config connection;
    connection.ca_file = ca_file;
    connection.allow_http = allow_http;
    return env.make_client(client_options_of(connection, env.agent_version));
}

result<std::string> read_password(environment& env, const std::filesystem::path& file)
{
    auto text = os::read_all(env.files, file, most_small_bytes);
    while (text && (text->ends_with('\n') || text->ends_with('\r'))) text->pop_back();
    if (text) env.secrets->add(*text);
    return text;
}

result<std::optional<std::filesystem::path>> store_password(environment& env, const std::string& password)
{
    const auto path = env.home.password();
    std::optional<std::filesystem::path> moved;
    if (const auto old = os::read_all(env.files, path, most_small_bytes)) {
        if (*old == password + "\n") return moved;
        moved = path.string() + "." + base::to_file_stamp(env.clock.now());
        if (auto ok = env.files.rename(path, *moved); !ok) return base::failed(ok);
    } else if (old.error().code != fault_code::not_found) {
        return std::unexpected(old.error());
    }
    if (auto ok = os::write_atomic(env.files, path, password + "\n"); !ok) return base::failed(ok);
    return moved;
}

wire::device_metadata metadata_of(environment& env)
{
    wire::device_metadata m;
    m.hostname = env.host_name;
    m.os = os::os_name();
    m.arch = os::architecture();
    m.agent_version = env.agent_version;
    if (auto version = env.engine.version()) m.restic_version = *version;
    return m;
}

result<> forget_former(environment& env)
{
    for (const auto& file : {env.home.cached_config(), env.home.deposit(), env.home.password_rotation()})
        if (auto gone = env.files.remove(file); !gone && gone.error().code != fault_code::not_found) return gone;
    return forget_pin(env.files, env.home);
}

result<> adopt(environment& env, const local_config& c)
{
    learn_secrets(c, env.files, *env.secrets);
    return save_local_config(env.files, env.home.config, c);
}

} // namespace xentz::agent
