// What is to run when on this machine: the schedule of the policy together with what is this machine's own, the place
// in the window. Everything else of this module - the timers of each scheduler and the plan of what is due - is made
// from it, so that they cannot disagree.
// Threads: values and pure functions.
#pragma once

#include "domain/calendar.hpp"
#include "domain/policy.hpp"
#include "domain/report.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace xentz::schedule {

// Who this machine is in the fleet. Clones share one of the two, never both.
struct identity {
    std::string device_id;
    std::string machine_id;
};

struct job_times {
    domain::job job = domain::job::backup;
    domain::calendar when;
    bool operator==(const job_times&) const = default;
};

struct spec {
    std::vector<job_times> jobs;    // in the order in which they run
    std::chrono::seconds jitter{0}; // later than said; the same for all jobs, so that they keep their distance
    std::chrono::seconds tick{0};   // of the hour, when the hourly run comes
    bool catch_up = true;           // what was missed is done later
    std::string fingerprint;        // two specs with the same one ask for the same runs
};

// Faults as domain::validate. Without a time of its own, retention runs daily, an hour after the first backup of a day;
// a check runs only where the schedule has a time for it.
base::result<spec> spec_of(const domain::schedule& s, const identity& who);

// Evenly spread over the window [0, window) and always the same for the same machine and purpose.
std::chrono::seconds place_in(std::chrono::seconds window, const identity& who, std::string_view purpose);

} // namespace xentz::schedule
