// Randomness as a parameter. The real source is the operating system's (os/random.hpp); tests pass a fake.
// Threads: implementations may be called from any thread at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace xentz::base {

class random_source {
public:
    virtual ~random_source() = default;
    // Fills all of `out` with cryptographically strong bytes; cannot fail.
    virtual void fill(std::span<std::uint8_t> out) = 0;
};

} // namespace xentz::base
