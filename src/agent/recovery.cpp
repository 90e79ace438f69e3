#include "agent/recovery.hpp"

#include "agent/config_source.hpp"
#include "agent/control_plane.hpp"
#include "agent/custody.hpp"
#include "agent/enrolment.hpp"
#include "agent/job_run.hpp"
#include "agent/machine_setup.hpp"
#include "crypto/recovery_sheet.hpp"
#include "crypto/sealed_box.hpp"

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

// The passwords that may open the repository, the likeliest first: a machine may have been lost while it changed its
// password, and a thief may have handed over a wrong one.
struct candidates {
    std::vector<std::string> passwords;
    std::string_view custody;
    std::optional<std::string> custody_key;
};

// A password is one line.
bool is_sheet(const std::string& text) { return text.find('\n') != std::string::npos; }

result<candidates> typed_password(const recovery_options& o)
{
    const auto text = o.password();
    if (!text) return std::unexpected(text.error());
    auto password = is_sheet(*text) ? crypto::read_recovery_digits(*text) : text;
    if (!password) return base::failed(password);
    if (password->empty()) return fail(fault_code::password_missing, "the repository's password is empty");
    return candidates{.passwords = {std::move(*password)}, .custody = custody_device, .custody_key = {}};
}

result<candidates> opened_passwords(const recovery_options& o, const std::vector<std::string>& boxes)
{
    if (boxes.empty())
        return fail(fault_code::password_missing, "the lost machine never handed over its password",
                    "Without a copy of its restic.pw nothing can be restored");
    const auto text = o.private_key();
    if (!text) return std::unexpected(text.error());
    const auto digits = crypto::read_recovery_digits(*text);
    if (!digits) return std::unexpected(digits.error());
    const auto key = crypto::key_pair_of(*digits);
    if (!key) return std::unexpected(key.error());
    candidates out{.passwords = {}, .custody = custody_sealed, .custody_key = key->public_key};
    std::optional<base::fault> why;
    for (const auto& box : boxes) {
        auto password = crypto::open_sealed(*key, box);
        if (password)
            out.passwords.push_back(std::move(*password));
        else
            why = password.error();
    }
    if (out.passwords.empty()) return std::unexpected(*why);
    return out;
}

result<candidates> kept_passwords(const wire::recover_response& lost)
{
    if (!lost.password) return fail(fault_code::password_missing, "the server keeps no password of the lost machine");
    candidates out{.passwords = {*lost.password}, .custody = custody_server, .custody_key = {}};
    for (const auto& older : lost.older_passwords.value_or(std::vector<std::string>{})) out.passwords.push_back(older);
    return out;
}

using password_source = std::function<result<candidates>()>;

// Where the password may be. What a person has brought along comes first, whatever the server says: a thief of the
// machine's key, or of the server, may have changed the custody, or handed over another password. Then the likeliest
// place: the machine may have been lost while it changed its custody. What has to be asked for comes last.
std::vector<password_source> sources_of(const recovery_options& o, const wire::recover_response& lost)
{
    const auto boxes = lost.sealed_passwords.value_or(std::vector<std::string>{});
    const password_source sealed = [&o, boxes] { return opened_passwords(o, boxes); };
    const password_source kept = [&lost] { return kept_passwords(lost); };
    const password_source typed = [&o] { return typed_password(o); };
    const bool is_sealed = lost.custody == custody_sealed;
    const bool is_typed = !is_sealed && (lost.custody == custody_device || !lost.password);
    std::vector<password_source> all;
    if (o.password_given) all.push_back(typed);
    if (o.private_key_given) all.push_back(sealed);
    if (is_sealed && !o.private_key_given) all.push_back(sealed);
    if (is_typed && !o.password_given) all.push_back(typed);
    if (lost.password) all.push_back(kept);
    if (!is_sealed && !o.private_key_given && !boxes.empty()) all.push_back(sealed);
    return all;
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

// The first one that opens the repository; each is tried in `file`.
result<std::string> first_that_opens(environment& env, const local_config& config, const candidates& from,
                                     const std::filesystem::path& file, std::stop_token stop)
{
    const auto effective = load_config(env, config, nullptr, stop);
    if (!effective) return std::unexpected(effective.error());
    auto trying = config;
    trying.restic.password_file = file.string();
    result<std::string> found = fail(fault_code::wrong_password, "no password is known");
    for (const auto& password : from.passwords) {
        env.secrets->add(password);
        if (auto ok = os::write_atomic(env.files, file, password + "\n"); !ok) return base::failed(ok);
        const auto session = open_repository(env, trying, *effective);
        if (!session) return std::unexpected(session.error());
        const auto opened = (*session)->latest(std::nullopt, stop);
        if (opened) return password;
        found = std::unexpected(opened.error());
        if (opened.error().code != fault_code::wrong_password) break;
    }
    return found;
}

struct chosen_password {
    std::string password;
    candidates from;
};

result<chosen_password> choose_password(environment& env, const local_config& config,
                                        const std::vector<password_source>& sources, std::stop_token stop)
{
    // Beside restic.pw, which is left alone until it is known.
    const auto file = env.home.password_on_trial();
    std::optional<base::fault> why;
    std::optional<chosen_password> chosen;
    for (const auto& source : sources) {
        auto from = source();
        const auto found = from ? first_that_opens(env, config, *from, file, stop)
                                : result<std::string>{std::unexpected(from.error())};
        if (found) chosen = chosen_password{*found, std::move(*from)};
        if (found) break;
        if (!why) why = found.error();
        // Only where a password is wrong or not to be had another one may help.
        if (from && found.error().code != fault_code::wrong_password) break;
    }
    if (auto gone = env.files.remove(file); !gone && gone.error().code != fault_code::not_found)
        env.log.warn(base::sentence(gone.error()));
    if (!chosen) return std::unexpected(std::move(*why));
    return std::move(*chosen);
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
    const auto client = connect(env, o.ca_file, o.allow_http);
    auto lost = control_plane{*client, *url}.recover(o.token, *key,
                                                     {.device_id = o.device_id, .metadata = metadata_of(env)}, stop);
    if (!lost) return base::failed(lost);
    auto config = common_config(env, o, *lost);
    config.recovering = lost->device_id;
    const auto chosen = choose_password(env, config, sources_of(o, *lost), stop);
    if (!chosen) return std::unexpected(chosen.error());
    auto older = store_password(env, chosen->password);
    if (!older) return base::failed(older);
    if (auto ok = forget_former(env); !ok) return base::failed(ok);
    if (auto ok = adopt(env, config); !ok) return base::failed(ok);
    return recovery{.server_url = std::move(*url),
                    .lost = std::move(*lost),
                    .older_password = std::move(*older),
                    .custody = std::string{chosen->from.custody},
                    .custody_key = chosen->from.custody_key};
}

result<local_config> take_over(environment& env, const recovery_options& o, const recovery& r, std::stop_token stop)
{
    const auto locks = lock_for_setup(env, "recover");
    if (!locks) return std::unexpected(locks.error());
    const auto key = idempotency_key(env, env.home.recovery(), r.server_url, o.token);
    if (!key) return std::unexpected(key.error());
    const auto client = connect(env, o.ca_file, o.allow_http);
    const auto answer =
        control_plane{*client, r.server_url}.take_over(o.token, *key, {.metadata = metadata_of(env)}, std::move(stop));
    if (!answer) return std::unexpected(answer.error());
    auto config = common_config(env, o, r.lost);
    config.server_url = r.server_url;
    config.tenant_id = answer->tenant_id;
    config.device_id = answer->device_id;
    config.device_api_key = answer->device_api_key;
    config.restic.repository = answer->repo_path;
    config.custody = r.custody;
    config.custody_key = r.custody_key;
    config.include = r.lost.local_include.value_or(std::vector<std::string>{});
    config.exclude = r.lost.local_exclude.value_or(std::vector<std::string>{});
    if (auto ok = forget_former(env); !ok) return base::failed(ok);
    if (auto ok = adopt(env, config); !ok) return base::failed(ok);
    if (auto gone = env.files.remove(env.home.recovery()); !gone) env.log.warn(base::sentence(gone.error()));
    return config;
}

std::string recovery_sheet_of(const local_config& c, const std::string& password)
{
    return "Recovery sheet of the repository of " + c.host + (c.device_id ? " (" + *c.device_id + ")" : std::string{}) +
           "\n\n" + crypto::recovery_lines(password) +
           "\nPrint this and lock it away: it is shown only now. Nobody else has this password; if this machine is "
           "lost,\n"
           "so are its backups without it. The last four digits of each line tell whether it was typed right.\n"
           "`xentz-agent recover --password-file FILE` takes these four lines.\n";
}

} // namespace xentz::agent
