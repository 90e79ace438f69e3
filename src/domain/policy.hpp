// What a device is told to do: when to run, what to back up, how, and what to keep. A tenant has a default
// policy from its first minute; GET /v1/config is a policy plus what only the server knows about the device.
// The JSON keys are the member names (see docs/policy.md).
#pragma once

#include "base/fault.hpp"
#include "domain/commands.hpp"
#include "domain/conditions.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::domain {

// Times are local to the machine: "HH:MM" or a calendar expression (domain/calendar.hpp).
struct schedule {
    static constexpr bool missing_keys_keep_defaults = true;
    std::string daily_at = "02:00";
    std::optional<std::string> retention_at;
    std::optional<std::string> check_at;
    std::optional<std::uint32_t> jitter_minutes; // 0 to 1440
    std::optional<bool> catch_up;                // false: what was missed stays missed
    bool operator==(const schedule&) const = default;
};
BOOST_DESCRIBE_STRUCT(schedule, (), (daily_at, retention_at, check_at, jitter_minutes, catch_up))

// How restic runs; absent = as restic does it by itself. An option that the machine's restic does not know yet is left
// out, and the run says so.
struct restic_options {
    static constexpr bool missing_keys_keep_defaults = true;
    std::optional<std::string> compression;                // auto, off, max
    std::optional<std::uint32_t> limit_upload_kib;         // KiB per second
    std::optional<std::uint32_t> limit_download_kib;       // KiB per second
    std::optional<std::uint32_t> read_concurrency;         // files read at once, 1 to 64; restic 0.15
    std::optional<std::uint32_t> pack_size_mib;            // 4 to 128
    std::optional<bool> exclude_caches;                    // folders that hold a CACHEDIR.TAG
    std::optional<bool> one_file_system;                   // what is mounted below an included folder stays out
    std::optional<std::vector<std::string>> exclude_files; // absolute paths of files with patterns on the machine
    std::optional<std::vector<std::string>> tags;          // in addition to the agent's own
    std::optional<std::uint32_t> longest_run_minutes;      // 1 to 10080; a longer run is ended
    std::optional<std::string> cpu_priority;               // normal, low, idle
    std::optional<std::string> io_priority;                // normal, low, idle
    bool operator==(const restic_options&) const = default;
};
BOOST_DESCRIBE_STRUCT(restic_options, (),
                      (compression, limit_upload_kib, limit_download_kib, read_concurrency, pack_size_mib,
                       exclude_caches, one_file_system, exclude_files, tags, longest_run_minutes, cpu_priority,
                       io_priority))

// restic's --keep-* options; 0 or absent = that rule keeps nothing of its own. `keep_within` is a restic
// duration such as "1y5m7d2h".
struct retention {
    static constexpr bool missing_keys_keep_defaults = true;
    std::uint32_t keep_last = 0;
    std::uint32_t keep_daily = 0;
    std::uint32_t keep_weekly = 0;
    std::uint32_t keep_monthly = 0;
    std::uint32_t keep_yearly = 0;
    std::optional<std::string> keep_within;
    bool prune = true;
    bool operator==(const retention&) const = default;
};
BOOST_DESCRIBE_STRUCT(retention, (),
                      (keep_last, keep_daily, keep_weekly, keep_monthly, keep_yearly, keep_within, prune))

// By these the agent tells its snapshots apart: those of files, those of dumps, and of these each dump. "latest" and
// the rules of retention look at files and at each dump by itself; so no policy may give these tags to other snapshots.
constexpr auto files_tag = "xentz";
constexpr auto dumps_tag = "xentz-dump";
std::string tag_of_dump(std::string_view name);
bool is_own_tag(std::string_view tag);

// True where the rules would keep no snapshot at all; such a retention must never run.
bool keeps_nothing(const retention& r);

// What a check reads and restores, each time; absent = as it stands here.
struct check_options {
    static constexpr bool missing_keys_keep_defaults = true;
    std::uint32_t parts = 30;       // 1 to 256: after so many checks all data has been read
    std::uint32_t drill_files = 20; // 0 to 1000 files, chosen by chance, are restored and compared; 0: no drill
    std::uint32_t drill_mib = 64;   // 1 to 65536: at most so much
    bool operator==(const check_options&) const = default;
};
BOOST_DESCRIBE_STRUCT(check_options, (), (parts, drill_files, drill_mib))

struct policy {
    static constexpr bool missing_keys_keep_defaults = true;
    domain::schedule schedule;
    std::vector<std::string> include; // absolute paths on the machine
    std::vector<std::string> exclude; // restic exclude patterns
    restic_options restic;
    domain::retention retention;
    std::optional<check_options> check;
    std::optional<std::vector<hook>> hooks;
    std::optional<std::vector<std::string>> dumps; // names of commands whose output is backed up
    std::optional<domain::conditions> conditions;
    // For machines that allow it: what a name stands for where they do not say it themselves.
    std::optional<std::vector<command>> commands;
    bool operator==(const policy&) const = default;
};
BOOST_DESCRIBE_STRUCT(policy, (),
                      (schedule, include, exclude, restic, retention, check, hooks, dumps, conditions, commands))

// 02:00 with an hour of jitter, a check each Sunday, nothing included (a device asks for its folders when it enrols),
// the usual caches excluded, 7 daily, 4 weekly and 12 monthly snapshots kept.
policy default_policy();

constexpr std::size_t most_paths = 1000;
// A config has what its policy includes and what the device asked for when it enrolled.
constexpr std::size_t most_config_paths = 2 * most_paths;

// The first rule that a policy breaks, with the name of the field: counts and lengths (at most 1000 paths of
// 4096 bytes), UTF-8 without NUL or line break, absolute include paths, times, a retention that keeps something.
base::result<> validate(const policy& p);

base::result<> validate_include(const std::vector<std::string>& include, std::size_t most = most_paths);
base::result<> validate_exclude(const std::vector<std::string>& exclude);
base::result<> validate(const schedule& s);
base::result<> validate(const restic_options& o);
base::result<> validate(const retention& r);
base::result<> validate(const check_options& c);

} // namespace xentz::domain
