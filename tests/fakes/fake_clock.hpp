// A clock that stands still until it is told to go on.
// Threads: one thread at a time.
#pragma once

#include "base/clock.hpp"

namespace xentz::fakes {

class fake_clock final : public base::clock {
public:
    // 2026-11-23T18:31:05Z
    base::time_point time = base::time_point{std::chrono::seconds{1'795'458'665}};
    std::chrono::microseconds since_start = std::chrono::hours{1};

    base::time_point now() const override { return time; }
    std::chrono::microseconds elapsed() const override { return since_start; }

    void advance(std::chrono::microseconds by)
    {
        time += by;
        since_start += by;
    }
};

} // namespace xentz::fakes
