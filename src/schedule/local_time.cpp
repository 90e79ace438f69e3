#include "schedule/local_time.hpp"

#include <algorithm>

namespace xentz::schedule {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;

// More than a local clock is ever away from UTC, and more than the longest gap (a day, at the date line).
constexpr hours far_enough{36};
constexpr int longest_search = 400; // days

sys_seconds at_offset(local_seconds local, seconds offset) { return sys_seconds{local.time_since_epoch() - offset}; }

// The instant in (low, high] at which the offset of `low` ends.
sys_seconds change_between(const os::time_zone& zone, sys_seconds low, sys_seconds high)
{
    const auto before = zone.offset_at(low);
    while (high - low > seconds{1}) {
        const auto middle = low + (high - low) / 2;
        (zone.offset_at(middle) == before ? low : high) = middle;
    }
    return high;
}

local_days local_day(const os::time_zone& zone, sys_seconds t)
{
    return std::chrono::floor<days>(local_seconds{t.time_since_epoch() + zone.offset_at(t)});
}

bool includes(const domain::calendar& c, local_days day)
{
    return c.includes(std::chrono::year_month_day{std::chrono::sys_days{day.time_since_epoch()}});
}

// The instants of one day. Two of its times may be one instant, after a gap.
template <class Each>
void each_on(const domain::calendar& c, const os::time_zone& zone, local_days day, Each each)
{
    if (!includes(c, day)) return;
    for (int hour = 0; hour < 24; ++hour)
        if (c.hours[static_cast<std::size_t>(hour)]) each(to_instant(zone, day + hours{hour} + minutes{c.minute}));
}

} // namespace

sys_seconds to_instant(const os::time_zone& zone, local_seconds local)
{
    const auto around = sys_seconds{local.time_since_epoch()};
    const auto before = zone.offset_at(around - far_enough);
    const auto after = zone.offset_at(around + far_enough);
    const auto first = at_offset(local, before);
    const auto second = at_offset(local, after);
    const bool first_holds = zone.offset_at(first) == before;
    const bool second_holds = zone.offset_at(second) == after;
    if (first_holds && second_holds) return std::min(first, second);
    if (first_holds) return first;
    if (second_holds) return second;
    return change_between(zone, around - far_enough, around + far_enough);
}

std::optional<sys_seconds> latest(const domain::calendar& c, const os::time_zone& zone, sys_seconds t)
{
    std::optional<sys_seconds> found;
    const auto today = local_day(zone, t);
    // From the day after: a gap at midnight moves an instant of today to tomorrow, not the other way round, but the
    // local day of `t` may itself have begun twice.
    for (int back = -1; back < longest_search && !found; ++back)
        each_on(c, zone, today - days{back}, [&](sys_seconds at) {
            if (at <= t && (!found || at > *found)) found = at;
        });
    return found;
}

std::optional<sys_seconds> next(const domain::calendar& c, const os::time_zone& zone, sys_seconds t)
{
    std::optional<sys_seconds> found;
    const auto today = local_day(zone, t);
    for (int ahead = -1; ahead < longest_search && !found; ++ahead)
        each_on(c, zone, today + days{ahead}, [&](sys_seconds at) {
            if (at > t && (!found || at < *found)) found = at;
        });
    return found;
}

} // namespace xentz::schedule
