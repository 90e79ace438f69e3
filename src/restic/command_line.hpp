// What restic is called with: arguments, per operation and version. Paths, patterns and ids come after `--` or as the
// value of a flag, so that none can be taken for a flag. No argument holds a secret: the address and the password are
// in files that the environment names (restic/environment.hpp).
//
// Threads: pure functions.
// Source: restic's manual (scripting, forget, restore) and `restic <command> --help` of 0.14 to 0.19.
#pragma once

#include "engine/engine.hpp"
#include "restic/version.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace xentz::restic {

using arguments = std::vector<std::string>;

// What every command on one repository shares.
struct invocation {
    restic::version version;
    domain::restic_options options;
    std::optional<std::filesystem::path> ca_file;
};

// The options that this restic does not know; they are left out of every command line. "restic.read_concurrency".
std::vector<std::string> unsupported_options(const invocation& i);

arguments version_arguments();
arguments init_arguments(const invocation& i);
arguments backup_arguments(const invocation& i, const engine::backup_request& r);
arguments snapshots_arguments(const invocation& i, const std::optional<engine::scope>& s);
arguments latest_arguments(const invocation& i, const std::optional<engine::scope>& s);
arguments list_arguments(const invocation& i, const std::string& snapshot_id, const std::string& path);
arguments forget_arguments(const invocation& i, const domain::retention& r, const engine::scope& s, bool dry_run);
// Without --json: up to 0.19 prune prints text in either case, and the text is there in every version.
arguments prune_arguments(const invocation& i);
arguments restore_arguments(const invocation& i, const engine::restore_request& r);
arguments check_arguments(const invocation& i, const engine::data_part& part);
// Never with --remove-all, which takes living locks, too.
arguments unlock_arguments(const invocation& i);
arguments key_list_arguments(const invocation& i);
arguments key_add_arguments(const invocation& i, const std::filesystem::path& new_password_file);
arguments key_remove_arguments(const invocation& i, const std::string& id);
arguments repository_config_arguments(const invocation& i);
arguments lock_list_arguments(const invocation& i);
arguments lock_arguments(const invocation& i, const std::string& id);

} // namespace xentz::restic
