// What every way of setting a machine up has in common (enrolment.hpp, recovery.hpp): nobody else at work meanwhile, a
// password that is never overwritten, a call to the server that can be repeated after a lost answer, and a new config
// beside which nothing of the old one counts.
#pragma once

#include "agent/environment.hpp"
#include "agent/local_config.hpp"
#include "os/lock.hpp"
#include "wire/messages.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace xentz::agent {

// Held while a machine is set up: no run meanwhile, and nobody else who writes config.json.
struct setup_locks {
    std::unique_ptr<os::file_lock> run;
    std::unique_ptr<os::file_lock> config;
};
// `who` as others are told of it: "install". Makes the home where there is none.
base::result<setup_locks> lock_for_setup(environment& env, const std::string& who);

// The key of a call with that token to that server, the same one until `file` is removed: a try that was cut short is
// repeated as itself. The file holds no secret.
base::result<std::string> idempotency_key(environment& env, const std::filesystem::path& file,
                                          const std::string& server_url, const std::string& token);

// For the calls before there is a config.
std::unique_ptr<http::client> connect(environment& env, const std::optional<std::string>& ca_file, bool allow_http);

// What a password file holds, without its line break. It is a secret from then on.
base::result<std::string> read_password(environment& env, const std::filesystem::path& file);

// Writes restic.pw; where it held another password, that is kept beside it, and the name of that file is returned.
base::result<std::optional<std::filesystem::path>> store_password(environment& env, const std::string& password);

wire::device_metadata metadata_of(environment& env);

// What is known of the device or the repository that the machine had before: the cached config, the pin, a password
// that was to be handed over, a rotation that was cut short.
base::result<> forget_former(environment& env);

// Saves `c` as this machine's config, beside which nothing of the former one counts. What has to lie there with it (a
// password to be handed over) may be written between forget_former and this.
base::result<> adopt(environment& env, const local_config& c);

} // namespace xentz::agent
