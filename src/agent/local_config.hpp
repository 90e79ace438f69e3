// config.json: who this machine is and where its control plane or its repository is (docs/agent-files.md). The keys
// are those of the first agent, which users have on their disks; keys that this program does not know are kept.
#pragma once

#include "base/redactor.hpp"
#include "domain/policy.hpp"
#include "os/files.hpp"
#include "wire/json.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace xentz::agent {

// The options count in legacy mode only.
struct local_restic : domain::restic_options {
    std::string repository;    // with its credential, as restic takes it
    std::string password_file; // absolute
};
BOOST_DESCRIBE_STRUCT(local_restic, (domain::restic_options), (repository, password_file))

struct local_config {
    static constexpr bool missing_keys_keep_defaults = true;
    std::uint32_t format = 1;
    std::optional<std::string> server_url; // absent: legacy mode, a repository of one's own
    std::optional<std::string> tenant_id;
    std::optional<std::string> device_id;
    std::optional<std::string> device_api_key;
    std::optional<std::string> recovering; // the lost device whose repository this machine only reads
    // Who else has the repository's password, and the key that it is sealed to (custody.hpp).
    std::optional<std::string> custody;
    std::optional<std::string> custody_key;
    std::string user_id = "default";
    std::string host; // host name in the repository, fixed when the machine enrols
    bool enabled = true;
    std::optional<std::string> ca_file;
    bool allow_http = false;
    domain::schedule schedule;
    std::optional<std::string> scheduler; // that holds the timers: systemd, cron, ...; absent: none does
    std::vector<std::string> include;     // in addition to the server's
    std::vector<std::string> exclude;
    local_restic restic;
    domain::retention retention;                  // legacy mode only,
    std::optional<domain::check_options> check;   // as this
    std::optional<domain::conditions> conditions; // and this
    // In addition to the server's.
    std::vector<domain::hook> hooks;
    std::vector<std::string> dumps;
    bool allow_remote_commands = false; // the server may say what is run here, and not only when

    bool managed() const { return server_url.has_value(); }
};
BOOST_DESCRIBE_STRUCT(local_config, (),
                      (format, server_url, tenant_id, device_id, device_api_key, recovering, custody, custody_key,
                       user_id, host, enabled, ca_file, allow_http, schedule, scheduler, include, exclude, restic,
                       retention, check, conditions, hooks, dumps, allow_remote_commands))

constexpr std::uint32_t local_config_format = 1;

// config_missing where there is none, config_invalid where it cannot be used, both with the remedy. The secrets in
// it are made known to `secrets`.
base::result<local_config> load_local_config(os::files& fs, const std::filesystem::path& p, base::redactor& secrets);

// config_missing where it only reads the repository of a lost machine: it has nothing of its own to back up.
base::result<> require_own_repository(const local_config& c);

// Keeps the keys of an existing file that this program does not know.
base::result<> save_local_config(os::files& fs, const std::filesystem::path& p, const local_config& c);

// Makes known what must never be shown: device key, repository credential, repository password.
void learn_secrets(const local_config& c, os::files& fs, base::redactor& secrets);

} // namespace xentz::agent
