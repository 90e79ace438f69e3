#include "schedule/launchd_plist.hpp"

#include "support/golden.hpp"
#include "unit/schedule/specs.hpp"

namespace xentz::schedule {
namespace {

std::size_t count(std::string_view text, std::string_view part)
{
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

// A file for each, so that other programs can read them (tests/system).
TEST(LaunchdPlist, OfEachTaskIsAsRecorded)
{
    auto t = test::timers(test::every_job(), test::odd_command());
    t.log = "/Users/a b/.xentz-agent/logs/launchd.log";
    const auto files = launchd_plists(t);
    ASSERT_EQ(files.size(), 4U);
    for (const auto& f : files) test::expect_golden("schedule/" + f.name, f.text);
}

TEST(LaunchdPlist, RunsWhatIsDueWhenItIsLoaded)
{
    const auto files = launchd_plists(test::timers({}, test::plain_command()));
    EXPECT_FALSE(files.front().text.contains("RunAtLoad"));
    EXPECT_TRUE(files.back().text.contains("<key>RunAtLoad</key><true/>"));
}

TEST(LaunchdPlist, LeavesTheDateOutWhereItWouldBeTooLong)
{
    domain::schedule s;
    s.daily_at = "Mon..Fri *-01..11-1..30 00..22:00";
    const auto files = launchd_plists(test::timers(s, test::plain_command(), "", std::chrono::seconds{0}));
    EXPECT_FALSE(files.front().text.contains("<key>Day</key>"));
    EXPECT_EQ(count(files.front().text, "<key>Minute</key>"), 23U * 5U);
}

} // namespace
} // namespace xentz::schedule
