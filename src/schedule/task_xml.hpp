// The timers as tasks of the Windows Task Scheduler (Task Scheduler schema, version 1.2: MS-TSCH 2.3).
// Threads: pure functions.
#pragma once

#include "schedule/systemd_units.hpp"
#include "schedule/timers.hpp"

#include <string>
#include <vector>

namespace xentz::schedule {

std::string task_name(task t, const std::string& instance); // "\xentz\agent-backup"

// One for each task, named as the command line of schtasks calls it. They run whether the user is logged on or not,
// with no stored password (S4U). `user` is empty for the system's account. invalid_value where the invocation needs
// environment variables: a task cannot carry any.
base::result<std::vector<unit_file>> task_definitions(const timer_set& t, const std::string& user);

// A word of a command line, as CommandLineToArgvW takes it apart.
std::string windows_word(std::string_view text);

} // namespace xentz::schedule
