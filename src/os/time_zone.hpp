// The rules of local time: what a clock on the wall shows at an instant. The machine's own rules come from the C
// library (TZ, /etc/localtime), which is what cron and systemd go by, too.
//
// Threads: a time_zone may be used from any thread at once.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace xentz::os {

class time_zone {
public:
    virtual ~time_zone() = default;
    // Local time minus UTC at that instant.
    virtual std::chrono::seconds offset_at(std::chrono::sys_seconds t) const = 0;
};

// Reads TZ once, here.
std::unique_ptr<time_zone> make_local_zone();

// "Tue 2026-11-24 02:37:14 CET"
std::string to_local_text(std::chrono::sys_seconds t);

} // namespace xentz::os
