// Reading the repository for people: which snapshots there are, what is in them, and getting it back. Restores are
// recorded and reported like every job; looking is not.
#pragma once

#include "agent/job_run.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::agent {

struct restore_options {
    std::string snapshot = "latest"; // an id, its first digits, "latest", or a day such as 2026-11-23
    std::filesystem::path target;    // absolute
    std::vector<std::string> include;
    bool overwrite = false;          // write into a folder that holds files
    std::optional<std::string> dump; // a snapshot of this dump instead of one of files
};

// snapshot_missing, target_not_empty before anything is written.
job_work restore_work(restore_options o, engine::progress_sink on_progress);

// This machine's snapshots, oldest first: of its files, and of its dumps.
base::result<std::vector<engine::snapshot>> list_snapshots(environment& env, std::stop_token stop);

base::result<> list_files(environment& env, const std::string& snapshot, const std::string& path,
                          const std::function<void(const engine::node&)>& each, std::stop_token stop);

// What a retention run would remove now; removes nothing.
base::result<engine::retention_outcome> preview_retention(environment& env, std::stop_token stop);

// The snapshot that a person means. A day (YYYY-MM-DD) means the newest one made on that day or before, in local time;
// an RFC 3339 time the newest made until then.
base::result<engine::snapshot> choose_snapshot(const std::vector<engine::snapshot>& all, const std::string& wanted);

} // namespace xentz::agent
