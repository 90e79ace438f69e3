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

// What a job's work is given.
struct run_context {
    environment& env;
    const local_config& local;
    const effective_config& effective;
    http::client& client;
    const std::optional<job_state>& previous;
    std::stop_token stop;
};

struct job_outcome {
    domain::run_status status = domain::run_status::success;
    domain::metrics metrics;
    std::optional<base::fault> shortfall; // why it is only partial
    std::vector<std::string> warnings;
};

using job_work = std::function<base::result<job_outcome>(run_context&)>;

struct run_result {
    job_state state;
    std::optional<base::fault> fault; // why it failed or is partial
    std::size_t reports_pending = 0;
};

// A fault where the run did not begin and nothing was recorded: run_locked, not enrolled, a home that cannot be
// written, disabled, device_revoked. Everything later is in the result, recorded and reported.
base::result<run_result> run_job(environment& env, domain::job j, const job_work& work, std::stop_token stop);

// Backs up by the config. `auto_init` makes a missing repository also in legacy mode.
job_work backup_work(bool auto_init, engine::progress_sink on_progress);
job_work retention_work();

// A session on the repository of the config; password_missing where its password file is missing or empty.
base::result<std::unique_ptr<engine::session>> open_repository(environment& env, const local_config& local,
                                                               const effective_config& effective);

} // namespace xentz::agent
