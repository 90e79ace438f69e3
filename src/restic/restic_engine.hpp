// restic as the backup engine: every operation is one run of the program (apply may be two), whose output is read
// line by line and judged by exit code and text. A run that tries again and again what is refused, or for which there
// is no room, is interrupted (restic/retry_watch.hpp). Works with restic 0.14 and later.
//
// Threads: the engine may be used from any thread, a session by one at a time. `runner` must outlive both.
// Errors: the faults of engine/engine.hpp; besides them invalid_value (a scope without host or tag), retention_empty,
// password_missing, config_invalid (the address is malformed), tls_failed, disk_full and file_failed (a disk of this
// machine, the target), repository_unavailable and restore_incomplete. Every text of restic is redacted.
#pragma once

#include "base/clock.hpp"
#include "base/redactor.hpp"
#include "engine/engine.hpp"
#include "os/process.hpp"
#include "restic/version_record.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace xentz::restic {

struct restic_setup {
    std::filesystem::path program;
    std::filesystem::path cache_directory;
    std::filesystem::path runtime_directory;             // for the repository file; made 0700 where it is missing
    std::map<std::string, std::string> base_environment; // only what restic/environment.hpp names is used
    std::shared_ptr<const base::redactor> redactor;      // knows the secrets that restic could print
    os::process_limits limits;                           // of each run
    // How long opening a repository may take where restic says that it cannot be reached.
    std::chrono::seconds longest_opening{30};
    std::shared_ptr<const base::clock> clock; // for durations; the machine's where there is none
    // What an earlier run heard of the program's version; without it each engine asks once.
    std::optional<version_record> versions = std::nullopt;
};

std::unique_ptr<engine::backup_engine> make_restic_engine(restic_setup setup, os::process_runner& runner);

} // namespace xentz::restic
