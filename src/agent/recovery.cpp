#include "agent/recovery.hpp"

#include "agent/config_source.hpp"
#include "agent/control_plane.hpp"
#include "agent/enrolment.hpp"
#include "agent/machine_setup.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

// A machine that backs up something of its own must not lose its place for a look at another one's files.
result<> require_free_home(environment& env)
{
    const auto existing = load_local_config(env.files, env.home.config, *env.secrets);
    if (!existing && existing.error().code == fault_code::config_missing) return {};
    if (!existing) return std::unexpected(existing.error());
    if (existing->recovering) return {};
    return fail(
        fault_code::already_enrolled, "this machine backs up something of its own with " + env.home.folder.string(),
        "Nothing was changed and no token was used. Recover beside it, with XENTZ_AGENT_HOME set to an empty folder");
}

std::unique_ptr<http::client> client_for(environment& env, const recovery_options& o)
{
    local_config connection;
    connection.ca_file = o.ca_file;
    connection.allow_http = o.allow_http;
    return env.make_client(client_options_of(connection, env.agent_version));
}

result<std::string> password_for(environment& env, const recovery_options& o, const wire::recover_response& lost)
{
    auto password = lost.password ? result<std::string>{*lost.password} : o.password();
    if (password && password->empty()) return fail(fault_code::password_missing, "the repository's password is empty");
    if (password) env.secrets->add(*password);
    return password;
}

// What both configs have: how the server is reached, and where the lost machine's snapshots are.
local_config common_config(environment& env, const recovery_options& o, const wire::recover_response& lost)
{
    local_config c;
    c.user_id = lost.user_id;
    c.host = lost.hostname;
    c.ca_file = o.ca_file;
    c.allow_http = o.allow_http;
    c.restic.repository = lost.repo_path;
    c.restic.password_file = env.home.password().string();
    c.retention = {};
    return c;
}

} // namespace

result<recovery> begin_recovery(environment& env, const recovery_options& o, std::stop_token stop)
{
    env.secrets->add(o.token);
    auto url = normal_server_url(o.server_url, o.allow_http);
    if (!url) return base::failed(url);
    const auto locks = lock_for_setup(env, "recover");
    if (!locks) return std::unexpected(locks.error());
    if (auto ok = require_free_home(env); !ok) return base::failed(ok);
    const auto key = idempotency_key(env, env.home.recovery(), *url, o.token);
    if (!key) return std::unexpected(key.error());
    const auto client = client_for(env, o);
    auto lost = control_plane{*client, *url}.recover(
        o.token, *key, {.device_id = o.device_id, .metadata = metadata_of(env)}, std::move(stop));
    if (!lost) return base::failed(lost);
    const auto password = password_for(env, o, *lost);
    if (!password) return std::unexpected(password.error());
    auto older = store_password(env, *password);
    if (!older) return base::failed(older);
    auto config = common_config(env, o, *lost);
    config.recovering = lost->device_id;
    if (auto ok = adopt(env, config); !ok) return base::failed(ok);
    return recovery{.server_url = std::move(*url), .lost = std::move(*lost), .older_password = std::move(*older)};
}

result<local_config> take_over(environment& env, const recovery_options& o, const recovery& r, std::stop_token stop)
{
    const auto locks = lock_for_setup(env, "recover");
    if (!locks) return std::unexpected(locks.error());
    const auto key = idempotency_key(env, env.home.recovery(), r.server_url, o.token);
    if (!key) return std::unexpected(key.error());
    const auto client = client_for(env, o);
    const auto answer =
        control_plane{*client, r.server_url}.take_over(o.token, *key, {.metadata = metadata_of(env)}, std::move(stop));
    if (!answer) return std::unexpected(answer.error());
    auto config = common_config(env, o, r.lost);
    config.server_url = r.server_url;
    config.tenant_id = answer->tenant_id;
    config.device_id = answer->device_id;
    config.device_api_key = answer->device_api_key;
    config.restic.repository = answer->repo_path;
    config.include = r.lost.local_include.value_or(std::vector<std::string>{});
    config.exclude = r.lost.local_exclude.value_or(std::vector<std::string>{});
    if (auto ok = adopt(env, config); !ok) return base::failed(ok);
    if (auto gone = env.files.remove(env.home.recovery()); !gone) env.log.warn(base::sentence(gone.error()));
    return config;
}

} // namespace xentz::agent
