// What a run came to, as the agent tells it and the server keeps it.
#pragma once

#include "base/clock.hpp"
#include "base/fault.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace xentz::domain {

enum class job { backup, retention, check, restore };
BOOST_DESCRIBE_ENUM(job, backup, retention, check, restore)

// partial: a snapshot was made, but some files could not be read.
enum class run_status { success, partial, failure };
BOOST_DESCRIBE_ENUM(run_status, success, partial, failure)

std::string_view name(job j);
std::string_view name(run_status s);
std::optional<job> parse_job(std::string_view text);

// Absent = the job has no such figure. Sizes in bytes.
struct metrics {
    std::optional<std::uint64_t> files_total;
    std::optional<std::uint64_t> files_new;
    std::optional<std::uint64_t> files_changed;
    std::optional<std::uint64_t> files_unreadable;
    std::optional<std::uint64_t> bytes_total;
    std::optional<std::uint64_t> data_added_bytes;
    std::optional<std::string> snapshot_id;
    std::optional<std::uint64_t> snapshots_kept;
    std::optional<std::uint64_t> snapshots_removed;
    std::optional<std::uint64_t> bytes_freed;
    std::optional<std::uint64_t> files_restored; // folders, too, as restic counts
    std::optional<std::uint64_t> bytes_restored;
    std::optional<std::uint64_t> data_part;       // of a check: which part of the data it read,
    std::optional<std::uint64_t> data_parts;      // of how many
    std::optional<std::uint64_t> bytes_read;      // of the repository's data; absent where that cannot be known
    std::optional<std::uint64_t> files_compared;  // restored files with their source
    std::optional<std::uint64_t> files_differing; // of the restored: not as the snapshot or the source has them
    std::optional<std::uint64_t> reports_dropped; // spooled reports that clean-up removed unsent
    bool operator==(const metrics&) const = default;
};
BOOST_DESCRIBE_STRUCT(metrics, (),
                      (files_total, files_new, files_changed, files_unreadable, bytes_total, data_added_bytes,
                       snapshot_id, snapshots_kept, snapshots_removed, bytes_freed, files_restored, bytes_restored,
                       data_part, data_parts, bytes_read, files_compared, files_differing, reports_dropped))

// A file or folder that a backup could not read, and why.
struct unreadable {
    std::string path;
    std::string reason;
    bool operator==(const unreadable&) const = default;
};
BOOST_DESCRIBE_STRUCT(unreadable, (), (path, reason))

constexpr std::size_t most_unreadable_listed = 100;

// A fault as it travels in a report and lies in a state file.
struct run_fault {
    std::string code; // base::name(fault_code)
    std::string message;
    std::string remedy;
    bool retry = false;
    bool operator==(const run_fault&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_fault, (), (code, message, remedy, retry))

run_fault to_run_fault(const base::fault& f);

constexpr std::size_t longest_error = 4096; // bytes of a report's `error`

} // namespace xentz::domain
