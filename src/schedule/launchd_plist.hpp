// The timers as property lists of launchd (launchd.plist(5)): one job for each task.
// Threads: pure functions.
#pragma once

#include "schedule/systemd_units.hpp"
#include "schedule/timers.hpp"

#include <string>
#include <vector>

namespace xentz::schedule {

std::string launchd_label(task t, const std::string& instance); // "com.xentz.agent.backup"

// One for each task, named LABEL.plist; the same for an agent of a user and for a daemon.
std::vector<unit_file> launchd_plists(const timer_set& t);

// Text between two tags of XML.
std::string xml_text(std::string_view text);

} // namespace xentz::schedule
