// The timers as systemd units (systemd.service(5), systemd.timer(5)): a service and a timer for each task.
// Threads: pure functions.
#pragma once

#include "schedule/timers.hpp"

#include <string>
#include <vector>

namespace xentz::schedule {

enum class unit_scope { user, system };

struct unit_file {
    std::string name; // "xentz-agent-backup.timer"
    std::string text;
    bool operator==(const unit_file&) const = default;
};

// All of them; the timers are what is to be enabled.
std::vector<unit_file> systemd_units(const timer_set& t, unit_scope scope);

std::string unit_name(task t, const std::string& instance, std::string_view suffix);

// The OnCalendar= expression of a start.
std::string systemd_calendar(const start& s);

// A word for ExecStart=, Environment= or a list of paths: quotes and escapes for systemd's reader, '%' doubled because
// it would begin a specifier. '$' needs nothing: the services ask for no substitution.
std::string systemd_word(std::string_view text);

} // namespace xentz::schedule
