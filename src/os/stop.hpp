// Interrupts as a std::stop_token: SIGINT, SIGTERM and SIGHUP request a stop; a second one ends the process at once.
// SIGHUP can be given another meaning.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>

namespace xentz::os {

// False where a stop was requested before the time was over.
bool wait_for(std::chrono::microseconds time, const std::stop_token& stop);

class stop_signals {
public:
    virtual ~stop_signals() = default; // restores the default handling
    virtual std::stop_token token() const = 0;
    // The signal that asked to stop, 0 where none did.
    virtual int received() const = 0;
    // From now on SIGHUP calls `f`, on a thread of its own, and stops nothing; an empty one ends that. When this
    // returns, what was set before is not running any more.
    virtual void on_hangup(std::function<void()> f) = 0;
};

// Call before any other thread is started; at most one object at a time.
std::unique_ptr<stop_signals> catch_stop_signals();

} // namespace xentz::os
