#include "schedule/local_time.hpp"

#include "base/time_text.hpp"
#include "unit/schedule/zones.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace xentz::schedule {
namespace {

using namespace std::chrono;

local_seconds local(int y, unsigned mo, unsigned d, int h, int mi)
{
    return local_days{year{y} / month{mo} / day{d}} + hours{h} + minutes{mi};
}

std::string text(sys_seconds t) { return base::to_rfc3339(base::time_point{t}); }

TEST(LocalTime, InBerlinASkippedTimeComesAtTheEndOfTheGapAndADoubleOneFirst)
{
    const test::in_zone zone{"Europe/Berlin"};
    EXPECT_EQ(text(to_instant(*zone, local(2026, 3, 29, 1, 59))), "2026-03-29T00:59:00Z");
    EXPECT_EQ(text(to_instant(*zone, local(2026, 3, 29, 2, 30))), "2026-03-29T01:00:00Z");
    EXPECT_EQ(text(to_instant(*zone, local(2026, 3, 29, 3, 0))), "2026-03-29T01:00:00Z");
    EXPECT_EQ(text(to_instant(*zone, local(2026, 10, 25, 2, 30))), "2026-10-25T00:30:00Z");
    EXPECT_EQ(text(to_instant(*zone, local(2026, 10, 25, 3, 0))), "2026-10-25T02:00:00Z");
}

TEST(LocalTime, InNewYorkToo)
{
    const test::in_zone zone{"America/New_York"};
    EXPECT_EQ(text(to_instant(*zone, local(2026, 3, 8, 2, 30))), "2026-03-08T07:00:00Z");
    EXPECT_EQ(text(to_instant(*zone, local(2026, 11, 1, 1, 30))), "2026-11-01T05:30:00Z");
}

TEST(LocalTime, OnLordHoweItIsHalfAnHour)
{
    const test::in_zone zone{"Australia/Lord_Howe"};
    EXPECT_EQ(text(to_instant(*zone, local(2026, 10, 4, 2, 15))), "2026-10-03T15:30:00Z");
    EXPECT_EQ(text(to_instant(*zone, local(2026, 4, 5, 1, 45))), "2026-04-04T14:45:00Z");
}

TEST(LocalTime, AWholeDayThatIslandsSkippedEndsWithTheGap)
{
    const test::in_zone zone{"Pacific/Apia"};
    EXPECT_EQ(text(to_instant(*zone, local(2011, 12, 30, 2, 0))), "2011-12-30T10:00:00Z");
}

TEST(LocalTime, FindsTheLatestAndTheNextAcrossMidnightAndMonths)
{
    const test::in_zone zone{"Europe/Berlin"};
    const auto sunday = *domain::parse_calendar("x", "Sun 04:00");
    const auto now = sys_seconds{sys_days{year{2026} / 11 / 24}} + hours{12};
    EXPECT_EQ(text(*latest(sunday, *zone, now)), "2026-11-22T03:00:00Z");
    EXPECT_EQ(text(*next(sunday, *zone, now)), "2026-11-29T03:00:00Z");
    const auto yearly = *domain::parse_calendar("x", "*-01-01 00:00");
    EXPECT_EQ(text(*latest(yearly, *zone, now)), "2025-12-31T23:00:00Z");
    EXPECT_EQ(text(*next(yearly, *zone, now)), "2026-12-31T23:00:00Z");
    const auto leap = *domain::parse_calendar("x", "*-02-29 00:00");
    EXPECT_FALSE(latest(leap, *zone, now)) << "looked for a year back";
}

RC_GTEST_PROP(LocalTime, EachTimeOfADayComesOnceWhateverTheClockDoes, ())
{
    const auto name = *rc::gen::element<std::string>("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC");
    const test::in_zone zone{name};
    const auto c = domain::daily(*rc::gen::inRange(0, 1440));
    const auto day = sys_days{year{2026} / 1 / 1} + days{*rc::gen::inRange(0, 365)};
    // Walk through three days from time to time: there are three of them, at least 22 and at most 26 hours apart.
    auto t = sys_seconds{day} + seconds{*rc::gen::inRange(0, 86400)};
    auto last = *next(c, *zone, t);
    for (int i = 0; i < 3; ++i) {
        const auto then = *next(c, *zone, last);
        RC_ASSERT(then - last >= hours{22});
        RC_ASSERT(then - last <= hours{26});
        RC_ASSERT(*latest(c, *zone, then) == then);
        RC_ASSERT(*latest(c, *zone, then - seconds{1}) == last);
        last = then;
    }
}

} // namespace
} // namespace xentz::schedule
