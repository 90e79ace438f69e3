// Random bytes that are the same in every run of a test, and never the same twice within one.
// Threads: one thread at a time.
#pragma once

#include "base/random.hpp"

#include <random>

namespace xentz::fakes {

class fake_random final : public base::random_source {
public:
    explicit fake_random(std::uint64_t seed = 1) : engine_(seed) {}

    void fill(std::span<std::uint8_t> out) override
    {
        for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
    }

private:
    std::mt19937_64 engine_;
};

} // namespace xentz::fakes
