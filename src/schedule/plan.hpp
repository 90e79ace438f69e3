// What is due now. A pure function of the spec, the clock, the zone and what happened before: every trigger - a timer,
// the hourly run, the start of the machine - asks it, so that a job runs once for each time of the schedule, whoever
// asks first.
//
//   A time of the schedule is met by a good run that ended at it or later; what was met is remembered, so that a clock
//   that is set forth and back does not ask for it again.
//   What was missed is due as soon as somebody asks. After a failure that may pass, the next try is due after 20
//   minutes, then after as long again as the trouble has lasted, at most 6 hours, and up to half as much later.
//   A wish of the control plane for a backup ("back up now") is due once it is known, and done by a good run that began
//   after that, or that brought it; a failure is tried again as above.
//   A changed schedule asks for nothing that lies before the change, unless the last good run is a day old.
//
// Threads: pure functions.
#pragma once

#include "base/clock.hpp"
#include "os/time_zone.hpp"
#include "schedule/spec.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xentz::schedule {

// The last run of a job, and the last good one.
struct record {
    std::optional<base::time_point> started_at; // absent: it never ran
    bool failed = false;
    bool may_pass = false;                     // the failure
    std::optional<base::time_point> last_good; // when it ended
    bool knew_wish = false;                    // the last one ran by the config that carries the wish
};

// What is remembered from plan to plan, besides the records.
struct memory {
    std::string fingerprint; // of the spec that holds since:
    base::time_point since;
    std::map<domain::job, std::vector<base::time_point>> met; // times of the schedule, the last few
    std::string wish;        // the id of the last one that was seen, empty where there is none
    base::time_point wished; // when it was first seen, by this machine's clock
    bool wish_done = false;
    bool operator==(const memory&) const = default;
};

struct situation {
    base::time_point now;
    std::map<domain::job, record> records;
    schedule::memory memory;
    bool enabled = true;                          // false: no job runs
    std::optional<base::time_point> last_contact; // with the control plane
    bool managed = true;                          // there is a control plane
    std::size_t reports_pending = 0;
    std::string wish;                // of the control plane for a backup besides the schedule: its id, or empty
    std::set<domain::job> postponed; // had to wait at their time: due until they run, also without catch-up
};

// wished: the control plane asks for it, whether or not the schedule does, too.
enum class reason { on_time, missed, retry, wished };

struct due_job {
    domain::job job = domain::job::backup;
    base::time_point time; // of the schedule, or when the wish was first seen
    schedule::reason reason = reason::on_time;
};

struct plan {
    std::vector<due_job> due;                     // in the order in which they are to run
    std::map<domain::job, base::time_point> next; // the next time of the schedule, for each job
    bool send_reports = false;
    bool contact = false; // the control plane has not been asked for hours
    schedule::memory memory;
};

plan make_plan(const spec& s, const identity& who, const os::time_zone& zone, const situation& now);

constexpr std::chrono::hours longest_silence{4};

} // namespace xentz::schedule
