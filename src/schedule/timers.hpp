// The starts that a scheduler is asked for, in its own terms: local times of day with the machine's place in the window
// already added, and the command to start. A start may come more often than the job is due (where a scheduler cannot
// say it exactly, or daylight saving moves an hour); the plan then finds nothing to do. It never comes less often: what
// no start meets, the hourly run does.
// Threads: values and pure functions.
#pragma once

#include "schedule/spec.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xentz::schedule {

enum class task { backup, retention, check, run_due };

// "backup", "run-due": the command of xentz-agent.
std::string_view name(task t);

struct start {
    std::bitset<7> weekdays; // Monday first
    std::bitset<12> months;
    std::bitset<31> days;
    std::optional<int> hour; // absent: every hour
    int minute = 0;
    int second = 0;

    bool any_weekday() const { return weekdays.all(); }
    bool any_date() const { return months.all() && days.all(); }
};

struct timer {
    schedule::task task = task::backup;
    std::vector<start> starts;
};

// How the agent is called. What is default is absent.
struct invocation {
    std::filesystem::path program; // absolute
    std::optional<std::filesystem::path> config;
    std::map<std::string, std::string> environment;
};

struct timer_set {
    std::vector<timer> timers;
    invocation command;
    bool catch_up = true;
    std::string instance;                      // tells agents of one user apart; empty for the one in the default home
    std::filesystem::path log;                 // where a scheduler that has no log of its own puts what a run prints
    std::vector<std::filesystem::path> writes; // what the runs write to
};

// invalid_value where a path or a value holds a line break or another control character, or is not
// UTF-8: no scheduler takes that.
base::result<timer_set> timers_of(const spec& s, invocation command, std::string instance);

// "backup --scheduled", with --config where it is not the default.
std::vector<std::string> arguments_of(const invocation& command, task t);

// "" for the default home, otherwise eight hex digits that follow from its path.
std::string instance_of(const std::filesystem::path& home, const std::filesystem::path& default_home);

} // namespace xentz::schedule
