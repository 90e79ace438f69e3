// The schedule as this agent lives it: the spec that follows from its config, the plan of what is due, and the timers
// of the machine's scheduler, kept as the config says (docs/scheduling.md).
// Threads: one thread at a time, as the environment.
#pragma once

#include "agent/doctor_findings.hpp"
#include "agent/environment.hpp"
#include "agent/local_config.hpp"
#include "os/time_zone.hpp"
#include "schedule/host.hpp"
#include "schedule/plan.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace xentz::agent {

// The machine's schedulers, as far as this agent uses them.
struct scheduling {
    const os::time_zone& zone;
    schedule::surroundings around;
    schedule::invocation command;
    std::string instance;
    // False where a stop was requested before the time was over.
    std::function<bool(std::chrono::milliseconds, std::stop_token)> wait;
};

// Times of the schedule that the config in force has: the server's last answer, or in legacy mode config.json.
domain::schedule known_schedule(environment& env, const local_config& local);

// What is due by what is known here, without asking anybody. Remembers what it has seen met.
base::result<schedule::plan> ask_plan(environment& env, const scheduling& s, const local_config& local);

// Timers for that schedule in the scheduler that config.json names; nothing where it names none. Absent where all was
// as wanted, otherwise a sentence that says what was changed and when the next backup comes.
base::result<std::optional<std::string>> keep_timers(environment& env, const local_config& local,
                                                     const domain::schedule& wanted);

struct timer_status {
    std::string scheduler; // empty: config.json names none
    schedule::presence presence = schedule::presence::absent;
    std::string difference;
    std::string caveat;
    std::vector<base::time_point> next_runs; // of the jobs, in order; the scheduler's own word where it has one
};

base::result<timer_status> look_at_timers(environment& env, const scheduling& s, const local_config& local);

// What doctor says of them.
finding examine_timers(environment& env);

// Chooses a scheduler by the wish, installs the timers and writes its name into config.json; "none" removes what there
// was. The sentence says what was chosen and why, and what to know about it.
base::result<std::string> install_timers(environment& env, const scheduling& s, local_config& local,
                                         const std::string& wish);

// Takes the timers out of every scheduler that this machine may have.
base::result<> remove_timers(environment& env, const scheduling& s, local_config& local);

} // namespace xentz::agent
