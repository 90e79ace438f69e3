#include "control/sweep_clock.hpp"

#include <algorithm>

namespace xentz::control {
namespace {

constexpr std::chrono::microseconds most_drift = std::chrono::minutes{5};
constexpr std::chrono::microseconds most_unseen = std::chrono::hours{24};
constexpr std::int64_t share_divisor = 4;
constexpr std::int64_t least_budget = std::int64_t{64} << 20U;

} // namespace

sweep_judgement judge_sweep(const std::optional<sweep_time>& last, const std::optional<sweep_instant>& seen,
                            const sweep_instant& here)
{
    // The first sweep of all only starts the clock.
    if (!last) return {.next = {here.now, here.now}};
    sweep_judgement out;
    const auto wall = here.now - last->swept_at;
    auto certain = std::min<std::chrono::microseconds>(wall, most_unseen);
    bool agrees = wall >= -most_drift;
    if (seen) {
        certain = here.elapsed - seen->elapsed;
        out.drift = (here.now - seen->now) - certain;
        agrees = std::chrono::abs(out.drift) <= most_drift;
    } else if (!agrees) {
        out.drift = wall;
    }
    const auto passed = std::max(std::chrono::microseconds{0}, std::min<std::chrono::microseconds>(wall, certain));
    out.next = {last->trusted_at + passed, here.now};
    out.may_purge = agrees;
    return out;
}

std::int64_t purge_budget(std::int64_t trash_bytes) { return std::max(trash_bytes / share_divisor, least_budget); }

std::int64_t day_of(base::time_point t) { return std::chrono::floor<std::chrono::days>(t).time_since_epoch().count(); }

} // namespace xentz::control
