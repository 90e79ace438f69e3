// One run of a job, from the lock to the report:
//
//   lock -> config.json -> what a killed run left -> config (server | cache) -> pending reports
//        -> marker -> the work -> state -> spool -> marker gone -> POST
//
// The order is what makes kill -9 harmless at any point: while the marker is there the run is known; the result is in
// the state file before the report is in the spool, and in the spool before the marker goes.
#pragma once

#include "agent/config_source.hpp"
#include "agent/environment.hpp"
#include "agent/local_config.hpp"
#include "agent/spool.hpp"
#include "agent/state.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::agent {

struct run_options {
    // By the scheduler: waits for the run lock where another run has it. By hand: says who has it.
    bool scheduled = false;
    // Asked once the lock is held, where it is set: false ends the run before anything is done.
    std::function<bool(const local_config&)> still_due = nullptr;
};

// What a job's work is given.
struct run_context {
    environment& env;
    const local_config& local;
    const effective_config& effective;
    http::client& client;
    const std::optional<job_state>& previous;
    int run_lock = -1; // the descriptor that the engine's processes inherit
    // How far this machine's clock is ahead of a server's, as soon as one has said its time in this run.
    std::optional<std::chrono::seconds>& clock_skew;
    // What came of the commands around the job and of its dumps: kept also where the job itself fails.
    std::vector<domain::command_result>& commands;
    std::stop_token stop;
};

struct job_outcome {
    domain::run_status status = domain::run_status::success;
    domain::metrics metrics;
    std::optional<base::fault> shortfall; // why it is only partial, or a failure that has figures all the same
    std::optional<std::string> outcome;   // finer than the status, for example "skipped"
    std::vector<std::string> warnings;
    std::vector<domain::unreadable> unreadable;
    std::vector<std::string> unsupported;
};

// It is incomplete, for one more reason.
void fall_short(job_outcome& out, base::fault why);

using job_work = std::function<base::result<job_outcome>(run_context&)>;

struct run_result {
    job_state state;
    std::optional<base::fault> fault; // why it failed or is partial
    std::size_t reports_pending = 0;
    bool not_due = false; // nothing was done, and nothing else here means anything
};

// A fault where the run did not begin and nothing was recorded: run_locked, not enrolled, a home that cannot be
// written, disabled, device_revoked. Everything later is in the result, recorded and reported.
base::result<run_result> run_job(environment& env, domain::job j, const job_work& work, std::stop_token stop,
                                 const run_options& options = {});

struct backup_options {
    bool auto_init = false;         // make a missing repository also in legacy mode
    bool accept_repository = false; // the repository may be another one than before: pin this one
};

job_work backup_work(backup_options options, engine::progress_sink on_progress);
job_work retention_work();

// A session on the repository of the config; password_missing where its password file is missing or empty.
base::result<std::unique_ptr<engine::session>> open_repository(environment& env, const local_config& local,
                                                               const effective_config& effective);
// The same for a run: the engine's processes are recorded and hold the run lock.
base::result<std::unique_ptr<engine::session>> open_repository(run_context& c);

} // namespace xentz::agent
