// The backup engine as the agent sees it: what can be asked of a repository and what comes of it, in the terms of
// the domain. No flags, no exit codes, no JSON lines. restic (src/restic) is the first implementation.
//
// Faults: repository_missing, repository_exists, repository_unreachable, repository_refused, repository_locked,
// repository_append_only, repository_full, repository_damaged, wrong_password, snapshot_missing, source_missing (no
// source exists), restic_missing, restic_failed, restic_crashed, restic_killed, out_of_memory, timed_out, interrupted.
// Their messages hold no secret. Threads: a session is used by one thread at a time; every call blocks and ends early
// when `stop` is requested.
#pragma once

#include "base/fault.hpp"
#include "domain/policy.hpp"
#include "domain/report.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::engine {

struct repository {
    std::string address; // as restic takes it: rest:http://user:secret@host/..., /a/folder, sftp:...
    std::filesystem::path password_file;
    std::optional<std::filesystem::path> ca_file;
    domain::restic_options options;
    // Descriptors that every process of the engine keeps open: the run lock, so that one which outlives the agent keeps
    // the next run waiting.
    std::vector<int> inherited;
    // Told each process that the engine starts, before it can have touched the repository; may be empty.
    std::function<void(std::int64_t process_id)> on_process;
};

struct progress {
    double fraction = 0; // 0 to 1, of what is known so far
    std::uint64_t files_done = 0;
    std::uint64_t files_total = 0;
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0;
};
using progress_sink = std::function<void(const progress&)>;

// Whose snapshots: every operation is scoped to one host name and one tag.
struct scope {
    std::string host;
    std::string tag;
};

// One file of a snapshot, whose bytes come from somewhere else.
struct stream_source {
    int descriptor = -1;   // that the engine's process reads; the end of its data is the end of the file
    int group = 0;         // the process group that it has to join
    std::string file_name; // in the snapshot, at its root
};

struct backup_request {
    engine::scope scope;
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    std::optional<stream_source> stream; // instead of include and exclude
    std::vector<std::string> tags;       // besides the scope's and those of the options
};

struct backup_outcome {
    domain::run_status status = domain::run_status::success; // success or partial
    domain::metrics metrics;                                 // snapshot_id is set
    std::vector<domain::unreadable> unreadable;              // the first domain::most_unreadable_listed
    std::uint64_t unreadable_count = 0;
    std::vector<std::string> missing_sources; // include paths that do not exist
};

struct snapshot {
    std::string id;       // 64 hex digits
    std::string short_id; // 8
    std::string time;     // as restic prints it, RFC 3339 with offset
    std::string hostname;
    std::vector<std::string> paths;
    std::vector<std::string> tags;
};

struct node {
    std::string path;
    std::string type; // "file", "dir", "symlink", ...
    std::uint64_t size = 0;
    std::string mtime;
    std::string ctime; // of its last change of any kind; empty where the engine does not know
};

struct retention_outcome {
    std::uint64_t kept = 0;
    std::uint64_t removed = 0;
    std::vector<std::string> removed_ids;
    std::optional<std::uint64_t> bytes_freed; // where it pruned and restic said so
};

// A lock that lies in the repository, as its holder wrote it.
struct lock {
    std::string id;         // 64 hex digits
    base::time_point since; // or last refreshed, by the holder's clock
    bool exclusive = false;
    std::string host;
    std::string user;
    std::int64_t process_id = 0;
};

// Which part of the repository's data a check reads besides its structure: the `number`-th of `of` parts, by which
// every pack belongs to one and stays in it. Nothing where `of` is 0.
struct data_part {
    std::uint32_t number = 0; // 1 to `of`
    std::uint32_t of = 0;     // at most most_data_parts
};
constexpr data_part no_data{};
constexpr data_part all_data{1, 1};
constexpr std::uint32_t most_data_parts = 256;

struct restore_request {
    std::string snapshot_id;
    std::filesystem::path target;
    std::vector<std::string> include; // empty = everything
};

struct restore_outcome {
    std::uint64_t files = 0; // counted on disk where restic does not say
    std::uint64_t bytes = 0;
};

// A password of the repository. What it opens is the same for all of them: the repository's master key.
struct key {
    std::string id;       // 8 or 64 hex digits, as the engine says it
    bool current = false; // the one that this session opens the repository with
    std::string host;     // where it was added
};

class session {
public:
    virtual ~session() = default;
    virtual base::result<> init(std::stop_token stop) = 0;
    virtual base::result<backup_outcome> backup(const backup_request& r, const progress_sink& on_progress,
                                                std::stop_token stop) = 0;
    // Oldest first; every host's and tag's where `s` is absent.
    virtual base::result<std::vector<snapshot>> snapshots(const std::optional<scope>& s, std::stop_token stop) = 0;
    // Only the newest: the cheap question whether the repository can be opened.
    virtual base::result<std::optional<snapshot>> latest(const std::optional<scope>& s, std::stop_token stop) = 0;
    virtual base::result<> list(const std::string& snapshot_id, const std::string& path,
                                const std::function<void(const node&)>& each, std::stop_token stop) = 0;
    // Forgets by the rules of `r` within the scope (grouped by host and tags), then prunes if they say so.
    virtual base::result<retention_outcome> apply(const domain::retention& r, const scope& s, bool dry_run,
                                                  std::stop_token stop) = 0;
    // Content, owner, mode, times, links, extended attributes and holes come back as they were.
    virtual base::result<restore_outcome> restore(const restore_request& r, const progress_sink& on_progress,
                                                  std::stop_token stop) = 0;
    // repository_damaged where it finds a flaw.
    virtual base::result<> check(const data_part& part, std::stop_token stop) = 0;
    // The id that the repository was given when it was made, 64 hex digits. Opens the repository.
    virtual base::result<std::string> repository_id(std::stop_token stop) = 0;
    // Every lock that lies in the repository; takes none itself. One that vanishes meanwhile is left out.
    virtual base::result<std::vector<lock>> locks(std::stop_token stop) = 0;
    // Removes locks whose holder is gone by the engine's own rules (restic: a process of this host that is dead, or
    // a lock that nobody refreshed for 30 minutes); a living holder's lock stays.
    virtual base::result<> unlock(std::stop_token stop) = 0;
    virtual base::result<std::vector<key>> keys(std::stop_token stop) = 0;
    // From then on the password in that file opens the repository, too. repository_append_only where keys must stay as
    // they are.
    virtual base::result<> add_key(const std::filesystem::path& new_password_file, std::stop_token stop) = 0;
    // Not the current one. An id that is no key of the repository is a failure.
    virtual base::result<> remove_key(const std::string& id, std::stop_token stop) = 0;
    // The options of the repository that this version of the engine does not know and leaves out, by their names in a
    // policy ("restic.read_concurrency"). Known once another call has ended.
    virtual std::vector<std::string> unsupported() const { return {}; }
};

class backup_engine {
public:
    virtual ~backup_engine() = default;
    virtual std::string_view name() const = 0;       // "restic"
    virtual base::result<std::string> version() = 0; // "0.14.0"
    // Starts nothing yet.
    virtual base::result<std::unique_ptr<session>> open(const repository& r) = 0;
};

} // namespace xentz::engine
