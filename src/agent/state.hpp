// What the agent remembers between runs (docs/agent-files.md): the last result of each job, and the marker of a
// run under way. A marker without a living holder is a run that was killed.
#pragma once

#include "agent/home.hpp"
#include "domain/commands.hpp"
#include "domain/report.hpp"
#include "wire/json.hpp"

#include <optional>
#include <string>

namespace xentz::agent {

// The last run that was good (a snapshot was made, or retention was applied), kept over later failures.
struct good_run {
    base::time_point finished_at;
    domain::run_status status = domain::run_status::success;
    std::optional<std::string> snapshot_id;
    std::optional<std::uint64_t> files_total;
    std::optional<std::uint64_t> bytes_total;
};
BOOST_DESCRIBE_STRUCT(good_run, (), (finished_at, status, snapshot_id, files_total, bytes_total))

struct job_state {
    std::uint32_t format = 1;
    domain::job job = domain::job::backup;
    domain::run_status status = domain::run_status::failure;
    std::optional<std::string> outcome; // for example "interrupted"
    base::time_point started_at;
    base::time_point finished_at;
    std::int64_t duration_ms = 0;
    domain::metrics metrics;
    std::optional<domain::run_fault> fault;
    std::vector<std::string> warnings;
    std::vector<domain::unreadable> unreadable; // the first most_unreadable_listed
    std::vector<std::string> unsupported;       // of the config, what this agent or its restic does not know
    std::optional<std::string> config_version;
    std::optional<std::string> config_source; // server, cache, local
    std::string report_id;
    std::optional<agent::good_run> last_good;
    // The repository that last_good was made in, without its credential.
    std::optional<std::string> repository;
    std::optional<std::vector<domain::command_result>> commands; // hooks and dumps; absent: there was none
    // Of a check: what one found, until one finds nothing; kept over runs that could not be made.
    std::optional<domain::run_fault> flaw;
};
BOOST_DESCRIBE_STRUCT(job_state, (),
                      (format, job, status, outcome, started_at, finished_at, duration_ms, metrics, fault, warnings,
                       unreadable, unsupported, config_version, config_source, report_id, last_good, repository,
                       commands, flaw))

// repository_damaged or restore_differs: what a check is there to find.
bool is_flaw(const domain::run_fault& f);

struct running_marker {
    std::uint32_t format = 1;
    domain::job job = domain::job::backup;
    base::time_point started_at;
    std::string report_id;
    std::int64_t process_id = 0;
};
BOOST_DESCRIBE_STRUCT(running_marker, (), (format, job, started_at, report_id, process_id))

// Nothing where there was no run yet. A damaged file counts as none: it must not stop a backup.
std::optional<job_state> load_state(os::files& fs, const home& h, domain::job j);
base::result<> save_state(os::files& fs, const home& h, const job_state& s);
std::string state_text(const job_state& s);

std::optional<running_marker> load_marker(os::files& fs, const home& h);
base::result<> save_marker(os::files& fs, const home& h, const running_marker& m);
base::result<> remove_marker(os::files& fs, const home& h);

} // namespace xentz::agent
