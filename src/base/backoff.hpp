// How long to wait after a failure before the next try: doubled with each failure in a row, up to a longest, and spread
// so that many machines which failed together do not come back together.
//
// Threads: a pure function, but for the random source.
#pragma once

#include "base/random.hpp"

#include <chrono>
#include <cstdint>

namespace xentz::base {

struct backoff_range {
    std::chrono::seconds first;
    std::chrono::seconds longest;
};

// Between half of the step and the whole of it; `failures` counts those in a row, the last one included.
std::chrono::seconds backoff(std::uint32_t failures, const backoff_range& range, random_source& random);

} // namespace xentz::base
