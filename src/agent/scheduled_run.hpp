// Runs that a scheduler starts. They ask the plan whether they are due, before and again once they hold the run lock,
// so that a job runs once for each time of its schedule, whoever came first.
#pragma once

#include "agent/job_run.hpp"
#include "agent/timetable.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace xentz::agent {

// Nothing where the job is not due. A start within the minute before its time waits for it: cron knows no seconds.
base::result<std::optional<run_result>> run_scheduled(environment& env, const scheduling& s, domain::job j,
                                                      const job_work& work, std::stop_token stop);

struct hourly_result {
    std::vector<std::pair<domain::job, base::result<run_result>>> runs;
    bool contacted = false; // the control plane was asked, because its turn had come or reports were waiting
};

// Everything that is due, each once; where nothing was, what else has its turn: the control plane is asked for the
// config, waiting reports are sent, timers are set to a schedule that was changed. Faults: not enrolled.
base::result<hourly_result> run_due(environment& env, const scheduling& s,
                                    const std::function<job_work(domain::job)>& work_of, std::stop_token stop);

} // namespace xentz::agent
