// A scheduled run that waits: on battery, on a metered connection, outside its window (domain/conditions.hpp). It is
// told once, with a report of its own (outcome "postponed"), and stands in state/postponed.json until the job had a
// good run: a try that fails at its deadline is followed by the next as after every failure, and not by another wait.
//
// Runs by hand do not wait, nor does a backup that the control plane asked for.
#pragma once

#include "agent/environment.hpp"
#include "agent/local_config.hpp"
#include "agent/spool.hpp"
#include "os/time_zone.hpp"
#include "schedule/plan.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xentz::agent {

struct postponement {
    domain::job job = domain::job::backup;
    base::time_point since;    // when it first had to wait
    base::time_point due_at;   // the time of the schedule
    base::time_point deadline; // it runs then, whatever there is
    std::string why;
    std::string report_id;
};
BOOST_DESCRIBE_STRUCT(postponement, (), (job, since, due_at, deadline, why, report_id))

// What waits now, or tries since its deadline; nothing of a job that had a good run since.
std::vector<postponement> load_postponements(environment& env);

// Whether the job has to wait just now. Told, where it was not told before: written down, and its report in the spool.
bool must_wait(environment& env, const local_config& local, const os::time_zone& zone, const schedule::due_job& due);

} // namespace xentz::agent
