// When a calendar expression comes, as instants. A local time that daylight saving skips comes at the end of the gap;
// one that there is twice comes the first time.
// Threads: pure functions.
#pragma once

#include "domain/calendar.hpp"
#include "os/time_zone.hpp"

#include <chrono>
#include <optional>

namespace xentz::schedule {

std::chrono::sys_seconds to_instant(const os::time_zone& zone, std::chrono::local_seconds local);

// The last one at or before `t`, looked for up to a little over a year back.
std::optional<std::chrono::sys_seconds> latest(const domain::calendar& c, const os::time_zone& zone,
                                               std::chrono::sys_seconds t);

// The first one after `t`, looked for up to a little over a year ahead.
std::optional<std::chrono::sys_seconds> next(const domain::calendar& c, const os::time_zone& zone,
                                             std::chrono::sys_seconds t);

} // namespace xentz::schedule
