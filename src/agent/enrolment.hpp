// `install`: makes this machine a device of a control plane, or gives it a repository of its own (legacy mode).
// Interrupted at any point it can be run again with the same token: the idempotency key of a try is kept until the
// config is stored, so that a lost answer costs neither the token nor a second device.
#pragma once

#include "agent/environment.hpp"
#include "agent/local_config.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::agent {

struct enrolment_options {
    std::string server_url;
    std::string token;
    std::string user_id = "default";
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    std::optional<std::string> ca_file;
    bool allow_http = false;
    bool allow_remote_commands = false;
    bool enrol_again = false; // although the machine is enrolled: a new device, a new repository
};

struct enrolment_result {
    local_config config;
    bool password_made_here = false;          // the server does not keep it
    std::optional<std::string> only_password; // that this machine alone has: for the recovery sheet
    std::optional<base::fault> deposit_fault; // why it could not be handed over yet
    // Where an older password was moved to.
    std::optional<std::filesystem::path> older_password;
    // The first config, or why it could not be fetched.
    std::optional<std::size_t> folders;
    std::optional<base::fault> config_fault;
};

// Faults: already_enrolled, token_refused, insecure_transport, those of the transport and of files.
base::result<enrolment_result> enrol(environment& env, const enrolment_options& o, std::stop_token stop);

struct legacy_options {
    std::string repository;
    std::optional<std::string> password_file; // absolute
    std::optional<std::string> password;      // written to restic.pw
    std::string user_id = "default";
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    std::optional<std::string> daily_at;
    std::optional<std::string> ca_file;
    bool allow_http = false;
    bool enrol_again = false;
};

base::result<enrolment_result> install_legacy(environment& env, const legacy_options& o);

// "https://host/control/" -> "https://host/control"; invalid_value where it is no http(s) URL or holds a credential.
base::result<std::string> normal_server_url(const std::string& url, bool allow_http);

} // namespace xentz::agent
