// Keeps the machine from going to sleep while something important runs, where the system offers it (systemd-logind's
// Inhibit over D-Bus). Where it does not, nothing happens: a container, a machine without logind, a user who may not.
// Threads: `keep_awake` may be called from any thread at once; it waits two seconds at most.
#pragma once

#include <memory>
#include <string>

namespace xentz::os {

// While it lives, the machine does not fall asleep by itself.
class wakefulness {
public:
    virtual ~wakefulness() = default;
    virtual bool granted() const = 0;
};

class sleep_inhibitor {
public:
    virtual ~sleep_inhibitor() = default;
    // `why` is shown by `systemd-inhibit --list`: "backing up".
    virtual std::unique_ptr<wakefulness> keep_awake(const std::string& why) = 0;
};

// `who` is the program. `bus_address` is that of the system's bus where it is empty.
std::unique_ptr<sleep_inhibitor> make_sleep_inhibitor(std::string who, std::string bus_address = {});

} // namespace xentz::os
