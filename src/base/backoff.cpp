#include "base/backoff.hpp"

#include <algorithm>
#include <array>

namespace xentz::base {

std::chrono::seconds backoff(std::uint32_t failures, const backoff_range& range, random_source& random)
{
    auto step = range.first;
    for (std::uint32_t i = 1; i < failures && step < range.longest; ++i) step *= 2;
    step = std::min(step, range.longest);
    std::array<std::uint8_t, 2> drawn{};
    random.fill(drawn);
    constexpr double most = 65535.0;
    const auto share = (drawn[0] * 256 + drawn[1]) / most;
    const auto half = static_cast<double>(step.count()) / 2;
    return std::chrono::seconds{static_cast<std::int64_t>(half + half * share)};
}

} // namespace xentz::base
