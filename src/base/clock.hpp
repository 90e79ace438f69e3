// Time as a parameter. Instants are UTC microseconds everywhere; text forms are in base/time_text.hpp.
// Threads: implementations may be called from any thread at once.
#pragma once

#include <chrono>

namespace xentz::base {

using time_point = std::chrono::sys_time<std::chrono::microseconds>;

class clock {
public:
    virtual ~clock() = default;
    // Wall clock; may jump.
    virtual time_point now() const = 0;
    // For durations; never goes back, its zero has no meaning.
    virtual std::chrono::microseconds elapsed() const = 0;
};

} // namespace xentz::base
