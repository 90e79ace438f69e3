#include "agent/enrolment.hpp"

#include "agent/config_source.hpp"
#include "agent/control_plane.hpp"
#include "agent/custody.hpp"
#include "agent/machine_setup.hpp"
#include "crypto/secrets.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

result<> refuse_second(environment& env, bool again)
{
    if (again) return {};
    const auto existing = load_local_config(env.files, env.home.config, *env.secrets);
    if (!existing && existing.error().code == fault_code::config_missing) return {};
    if (!existing) return std::unexpected(existing.error());
    // It only reads the repository of a lost machine: nothing here is its own.
    if (existing->recovering) return {};
    const auto what = existing->managed() ? "enrolled at " + *existing->server_url + " as " + *existing->device_id
                                          : std::string{"set up with a repository of its own"};
    return fail(
        fault_code::already_enrolled, "this machine is already " + what,
        "Nothing was changed and no token was used; --again makes it a new device with a new, empty repository");
}

wire::install_request request_of(environment& env, const enrolment_options& o)
{
    wire::install_request r;
    r.user_id = o.user_id;
    r.metadata = metadata_of(env);
    if (!o.include.empty()) r.include = o.include;
    return r;
}

// The custody that the machine goes on with, whatever the server says later.
void pin_custody(local_config& c, const wire::install_response& r)
{
    c.custody = r.custody ? *r.custody : std::string{r.password ? custody_server : custody_device};
    if (c.custody == custody_sealed) c.custody_key = r.custody_key;
}

local_config config_of(environment& env, const enrolment_options& o, const wire::install_response& r)
{
    local_config c;
    c.server_url = o.server_url;
    c.tenant_id = r.tenant_id;
    c.device_id = r.device_id;
    c.device_api_key = r.device_api_key;
    c.user_id = o.user_id;
    c.host = env.host_name;
    c.ca_file = o.ca_file;
    c.allow_http = o.allow_http;
    c.allow_remote_commands = o.allow_remote_commands;
    c.exclude = o.exclude;
    c.restic.repository = r.repo_path;
    c.restic.password_file = env.home.password().string();
    c.retention = {};
    pin_custody(c, r);
    return c;
}

result<> begin_deposit_of(environment& env, enrolment_result& r, const std::string& password)
{
    if (!r.password_made_here) return {};
    if (r.config.custody == custody_device) r.only_password = password;
    return begin_deposit(env, r.config, password, env.home.password());
}

// What cannot be handed over now is by the next run.
void finish_deposit_of(environment& env, http::client& client, enrolment_result& r, std::stop_token stop)
{
    control_plane server{client, *r.config.server_url};
    if (auto done = finish_deposit(env, r.config, server, std::move(stop)); !done) r.deposit_fault = done.error();
}

void fetch_first_config(environment& env, http::client& client, enrolment_result& r, std::stop_token stop)
{
    control_plane server{client, *r.config.server_url};
    const auto effective = load_config(env, r.config, &server, stop);
    if (!effective)
        r.config_fault = effective.error();
    else if (effective->fetch_fault)
        r.config_fault = effective->fetch_fault;
    else
        r.folders = effective->config.include.size();
}

} // namespace

result<std::string> normal_server_url(const std::string& url, bool allow_http)
{
    const auto parts = http::parse_url(url);
    const bool http_like = url.starts_with("http://") || url.starts_with("https://");
    if (!parts || !http_like || parts->basic || url.find_first_of("?#") != std::string::npos)
        return fail(fault_code::usage, "--server must be an address such as https://backup.example.com");
    if (!parts->https && !allow_http && !http::is_literal_loopback(parts->host))
        return fail(fault_code::insecure_transport, "--server uses plain HTTP to " + parts->host,
                    "Use https://, or add --allow-http where the network itself is trusted");
    auto out = url;
    while (out.ends_with('/')) out.pop_back();
    return out;
}

result<enrolment_result> enrol(environment& env, const enrolment_options& given, std::stop_token stop)
{
    auto o = given;
    env.secrets->add(o.token);
    auto url = normal_server_url(o.server_url, o.allow_http);
    if (!url) return base::failed(url);
    o.server_url = std::move(*url);
    if (auto ok = domain::validate_include(o.include); !ok) return fail(fault_code::usage, "--" + ok.error().message);
    if (auto ok = domain::validate_exclude(o.exclude); !ok) return fail(fault_code::usage, "--" + ok.error().message);
    const auto locks = lock_for_setup(env, "install");
    if (!locks) return std::unexpected(locks.error());
    // Only now: another install may just have ended.
    if (auto ok = refuse_second(env, o.enrol_again); !ok) return base::failed(ok);

    const auto key = idempotency_key(env, env.home.enrolment(), o.server_url, o.token);
    if (!key) return std::unexpected(key.error());
    const auto client = connect(env, o.ca_file, o.allow_http);
    auto answer = control_plane{*client, o.server_url}.install(o.token, *key, request_of(env, o), stop);
    if (!answer) return base::failed(answer);

    enrolment_result r;
    r.config = config_of(env, o, *answer);
    r.password_made_here = !answer->password;
    const auto password = answer->password ? *answer->password : crypto::make_password(env.random);
    env.secrets->add(password);
    auto older = store_password(env, password);
    if (!older) return base::failed(older);
    r.older_password = std::move(*older);
    if (auto ok = forget_former(env); !ok) return base::failed(ok);
    if (auto ok = begin_deposit_of(env, r, password); !ok) return base::failed(ok);
    if (auto ok = adopt(env, r.config); !ok) return base::failed(ok);
    if (auto gone = env.files.remove(env.home.enrolment()); !gone) env.log.warn(base::sentence(gone.error()));
    finish_deposit_of(env, *client, r, stop);
    fetch_first_config(env, *client, r, stop);
    return r;
}

result<enrolment_result> install_legacy(environment& env, const legacy_options& o)
{
    enrolment_result r;
    auto& c = r.config;
    c.user_id = o.user_id;
    c.host = env.host_name;
    c.include = o.include;
    c.exclude = o.exclude.empty() ? domain::default_policy().exclude : o.exclude;
    c.ca_file = o.ca_file;
    c.allow_http = o.allow_http;
    c.restic.repository = o.repository;
    c.retention = domain::default_policy().retention;
    c.schedule = domain::default_policy().schedule;
    if (o.daily_at) c.schedule.daily_at = *o.daily_at;
    if (auto ok = domain::validate(c.schedule); !ok) return base::failed(ok);
    if (auto ok = domain::validate_include(c.include); !ok) return base::failed(ok);
    if (auto ok = domain::validate_exclude(c.exclude); !ok) return base::failed(ok);
    const auto locks = lock_for_setup(env, "install");
    if (!locks) return std::unexpected(locks.error());
    if (auto ok = refuse_second(env, o.enrol_again); !ok) return base::failed(ok);
    if (o.password) {
        auto older = store_password(env, *o.password);
        if (!older) return base::failed(older);
        r.older_password = std::move(*older);
        c.restic.password_file = env.home.password().string();
    } else {
        c.restic.password_file = o.password_file.value_or("");
        const auto info = env.files.info(c.restic.password_file);
        if (!info || info->bytes == 0)
            return fail(fault_code::password_missing,
                        "the password file " + c.restic.password_file + " is missing or empty",
                        "Name an existing file with --password-file");
    }
    if (auto ok = forget_former(env); !ok) return base::failed(ok);
    if (auto ok = adopt(env, c); !ok) return base::failed(ok);
    r.folders = c.include.size();
    return r;
}

} // namespace xentz::agent
