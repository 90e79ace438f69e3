#include "schedule/spec.hpp"

#include "schedule/timers.hpp"
#include "unit/schedule/specs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>

namespace xentz::schedule {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

domain::schedule window(std::uint32_t jitter_minutes)
{
    domain::schedule s;
    s.jitter_minutes = jitter_minutes;
    return s;
}

std::string device(int i)
{
    std::array<char, 64> text{};
    const auto size = std::snprintf(text.data(), text.size(), "dev_%032x", static_cast<unsigned>(i) * 2654435761U);
    return {text.data(), static_cast<std::size_t>(size)};
}

// Starts in the busiest minute of a window of an hour, of 10,000 machines.
std::size_t busiest(const std::function<seconds(int)>& place)
{
    std::array<std::size_t, 60> minute{};
    for (int i = 0; i < 10'000; ++i) ++minute.at(static_cast<std::size_t>(place(i).count() / 60));
    return std::ranges::max(minute);
}

TEST(Spec, SpreadsTenThousandMachinesOverTheWindow)
{
    const double mean = 10'000.0 / 60.0;
    const auto most = static_cast<std::size_t>(mean + 5 * std::sqrt(mean));
    EXPECT_LE(busiest([](int i) { return spec_of(window(60), {device(i), "m" + std::to_string(i)})->jitter; }), most);
    EXPECT_LE(busiest([](int i) { return spec_of(window(60), {device(i), "m" + std::to_string(i)})->tick; }), most);
    // Machines of one image share the machine's id; ids in a row are no worse.
    EXPECT_LE(busiest([](int i) { return spec_of(window(60), {device(i), "image"})->jitter; }), most);
    EXPECT_LE(busiest([](int i) { return spec_of(window(60), {"dev_" + std::to_string(i), "image"})->jitter; }), most);
}

TEST(Spec, APlaceIsAlwaysTheSameAndAnotherOneForAClone)
{
    const auto jitter = [](const identity& who) { return spec_of(window(60), who)->jitter; };
    const auto mine = jitter({"dev_a", "machine-a"});
    EXPECT_EQ(mine, seconds{3444}) << "a place that changes moves the backup of every machine in the field";
    EXPECT_NE(mine, jitter({"dev_b", "machine-a"})) << "cloned before it enrolled";
    EXPECT_NE(mine, jitter({"dev_a", "machine-b"})) << "cloned with its enrolment";
}

TEST(Spec, WithoutAWindowStartsAreOnTime)
{
    EXPECT_EQ(spec_of({}, {"dev_a", "m"})->jitter, seconds{0});
    EXPECT_EQ(spec_of(window(0), {"dev_a", "m"})->jitter, seconds{0});
    EXPECT_LT(spec_of(window(1), {"dev_a", "m"})->jitter, seconds{60});
}

TEST(Spec, RetentionHasADayOfItsOwnAndACheckOnlyWhereItIsAskedFor)
{
    const auto s = spec_of(window(60), {"dev_a", "m"});
    ASSERT_EQ(s->jobs.size(), 2U);
    EXPECT_EQ(s->jobs[1].job, domain::job::retention);
    EXPECT_EQ(s->jobs[1].when, domain::daily(3 * 60));
    domain::schedule late;
    late.daily_at = "Mon 23:30";
    EXPECT_EQ(spec_of(late, {})->jobs[1].when, domain::daily(30));
    EXPECT_EQ(spec_of(test::every_job(), {})->jobs.size(), 3U);
}

TEST(Spec, ThatCannotBeReadNamesTheField)
{
    domain::schedule s;
    s.check_at = "sometimes";
    const auto out = spec_of(s, {});
    ASSERT_FALSE(out);
    EXPECT_TRUE(out.error().message.starts_with("schedule.check_at"));
}

TEST(Timers, AStartThatThePlaceMovesPastMidnightIsOnTheNextDay)
{
    domain::schedule s;
    s.daily_at = "Sun 23:30";
    const auto t = test::timers(s, test::plain_command());
    const auto& start = t.timers.front().starts.front();
    EXPECT_EQ(start.hour, 0);
    EXPECT_EQ(start.minute, 7);
    EXPECT_TRUE(start.weekdays[0]);
    EXPECT_EQ(start.weekdays.count(), 1U);
    s.daily_at = "*-*-31 23:30";
    EXPECT_TRUE(test::timers(s, test::plain_command()).timers.front().starts.front().any_date())
        << "every day; the plan knows which";
}

TEST(Timers, RefuseWhatNoSchedulerTakes)
{
    for (const auto* bad : {"/opt/a\nb", "/opt/a\rb", "/opt/a\x7f", "/opt/\xff"}) {
        auto command = test::plain_command();
        command.program = bad;
        EXPECT_EQ(timers_of(test::made({}, {}, {}), command, "").error().code, base::fault_code::invalid_value);
        command = test::plain_command();
        command.config = bad;
        EXPECT_FALSE(timers_of(test::made({}, {}, {}), command, ""));
        command = test::plain_command();
        command.environment["XENTZ_AGENT_HOME"] = bad;
        EXPECT_FALSE(timers_of(test::made({}, {}, {}), command, ""));
    }
}

TEST(Timers, TellAgentsOfOneUserApart)
{
    EXPECT_EQ(instance_of("/home/a/.xentz-agent", "/home/a/.xentz-agent"), "");
    const auto other = instance_of("/srv/other", "/home/a/.xentz-agent");
    EXPECT_EQ(other.size(), 8U);
    EXPECT_EQ(other.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_NE(other, instance_of("/srv/another", "/home/a/.xentz-agent"));
}

} // namespace
} // namespace xentz::schedule
