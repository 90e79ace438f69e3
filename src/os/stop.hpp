// Interrupts as a std::stop_token: SIGINT, SIGTERM and SIGHUP request a stop; a second one ends the process at once.
#pragma once

#include <memory>
#include <stop_token>

namespace xentz::os {

class stop_signals {
public:
    virtual ~stop_signals() = default; // restores the default handling
    virtual std::stop_token token() const = 0;
    // The signal that asked to stop, 0 where none did.
    virtual int received() const = 0;
};

// Call before any other thread is started; at most one object at a time.
std::unique_ptr<stop_signals> catch_stop_signals();

} // namespace xentz::os
