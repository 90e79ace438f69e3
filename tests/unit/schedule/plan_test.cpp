#include "schedule/plan.hpp"

#include "base/time_text.hpp"
#include "unit/schedule/specs.hpp"
#include "unit/schedule/zones.hpp"

#include <rapidcheck/gtest.h>

#include <set>

namespace xentz::schedule {
namespace {

using base::time_point;
using domain::job;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const identity who{"dev_1", "machine"};

time_point at(std::string_view text) { return *base::parse_rfc3339(text); }

spec only_backup(const domain::schedule& s, seconds jitter = seconds{0})
{
    auto out = test::made(s, jitter, minutes{17});
    std::erase_if(out.jobs, [](const job_times& j) { return j.job != job::backup; });
    return out;
}

spec daily_at_two(seconds jitter = seconds{0}) { return only_backup({}, jitter); }

// A machine whose hourly run asks the plan, and does what is due.
struct machine {
    spec asked = daily_at_two();
    const os::time_zone& zone;
    situation now{};
    std::vector<std::pair<time_point, time_point>> runs{}; // when, and for which time of the schedule

    std::vector<due_job> ask(time_point t)
    {
        now.now = t;
        auto p = make_plan(asked, who, zone, now);
        now.memory = p.memory;
        return p.due;
    }
    void ran(time_point started, bool good, bool may_pass = true)
    {
        auto& r = now.records[job::backup];
        r.started_at = started;
        r.failed = !good;
        r.may_pass = may_pass;
        if (good) r.last_good = started + minutes{3};
    }
    // As the agent does it: it asks again after a run, until nothing is due.
    void tick(time_point t)
    {
        for (auto due = ask(t); !due.empty(); due = ask(t)) {
            runs.emplace_back(t, due.front().time);
            ran(t, true);
            t += minutes{3};
        }
    }
    // The hourly run from now on, while the machine is on.
    void live(time_point from, time_point to)
    {
        for (auto t = from; t < to; t += hours{1}) tick(t + minutes{17});
    }
};

TEST(Plan, ABackupIsDueOnceADay)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.ran(at("2026-11-23T02:17:00Z"), true);
    m.live(at("2026-11-23T03:00:00Z"), at("2026-11-26T03:00:00Z"));
    ASSERT_EQ(m.runs.size(), 3U);
    for (const auto& [when, time] : m.runs) EXPECT_EQ(when - time, minutes{17});
}

TEST(Plan, ThePlaceInTheWindowMovesTheTime)
{
    const test::in_zone zone{"UTC"};
    machine m{.asked = daily_at_two(minutes{37} + seconds{14}), .zone = *zone};
    m.ran(at("2026-11-23T03:00:00Z"), true);
    EXPECT_TRUE(m.ask(at("2026-11-24T02:37:13Z")).empty());
    const auto due = m.ask(at("2026-11-24T02:37:14Z"));
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].reason, reason::on_time);
}

TEST(Plan, AMissedRunIsDueOnceWhenTheMachineIsOnAgain)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.ran(at("2026-10-23T02:17:00Z"), true);
    const auto due = m.ask(at("2026-11-23T18:00:00Z"));
    ASSERT_EQ(due.size(), 1U) << "a month of sleep is one backup";
    EXPECT_EQ(due[0].reason, reason::missed);
    EXPECT_EQ(due[0].time, at("2026-11-23T02:00:00Z"));
    m.ran(at("2026-11-23T18:00:00Z"), true);
    EXPECT_TRUE(m.ask(at("2026-11-23T18:30:00Z")).empty());
    EXPECT_TRUE(m.ask(at("2026-11-24T01:59:00Z")).empty());
    EXPECT_EQ(m.ask(at("2026-11-24T02:00:00Z")).size(), 1U);
}

TEST(Plan, WithoutCatchUpWhatWasMissedStaysMissed)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.asked.catch_up = false;
    m.ran(at("2026-11-22T02:17:00Z"), true);
    EXPECT_EQ(m.ask(at("2026-11-23T03:00:00Z")).size(), 1U) << "the hourly run is still on time";
    EXPECT_TRUE(m.ask(at("2026-11-23T18:00:00Z")).empty());
}

TEST(Plan, ARunThatWasStillGoingCountsForTheTime)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.ran(at("2026-11-24T01:58:00Z"), true);
    EXPECT_TRUE(m.ask(at("2026-11-24T02:02:00Z")).empty());
}

TEST(Plan, AFirstBackupIsDueAtOnceAndTheOthersWaitForIt)
{
    const test::in_zone zone{"UTC"};
    machine m{.asked = test::made(test::every_job(), {}, {}), .zone = *zone};
    const auto due = m.ask(at("2026-11-24T12:00:00Z"));
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].job, job::backup);
    m.ran(at("2026-11-24T12:00:00Z"), true);
    const auto then = m.ask(at("2026-11-24T12:04:00Z"));
    ASSERT_EQ(then.size(), 2U);
    EXPECT_EQ(then[0].job, job::retention);
    EXPECT_EQ(then[1].job, job::check);
}

TEST(Plan, AFailureThatMayPassIsTriedAgainLaterAndLater)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.ran(at("2026-11-23T02:00:00Z"), true);
    auto started = at("2026-11-24T02:00:00Z");
    m.ran(started, false);
    std::vector<minutes> gaps;
    for (auto t = started; t < at("2026-11-25T01:00:00Z"); t += minutes{1}) {
        const auto due = m.ask(t);
        if (due.empty()) continue;
        EXPECT_EQ(due[0].reason, reason::retry);
        gaps.push_back(std::chrono::duration_cast<minutes>(t - started));
        started = t;
        m.ran(t, false);
    }
    ASSERT_GE(gaps.size(), 4U);
    ASSERT_LE(gaps.size(), 9U) << "no storm";
    EXPECT_GE(gaps[0], minutes{20});
    EXPECT_LE(gaps[0], minutes{30});
    EXPECT_LE(gaps.back(), hours{9});
    EXPECT_GT(gaps.back(), hours{2});
    EXPECT_EQ(m.ask(at("2026-11-25T02:00:00Z")).size(), 1U) << "a new day is a new time";
}

TEST(Plan, RetriesOfMachinesAreNotAtOnce)
{
    const test::in_zone zone{"UTC"};
    std::set<time_point> first_tries;
    for (int i = 0; i < 50; ++i) {
        const identity other{"dev_" + std::to_string(i), "machine"};
        situation s{.now = {}};
        s.records[job::backup] = {.started_at = at("2026-11-24T02:00:00Z"), .failed = true, .may_pass = true};
        for (s.now = at("2026-11-24T02:20:00Z"); make_plan(daily_at_two(), other, *zone, s).due.empty();)
            s.now += seconds{1};
        first_tries.insert(s.now);
    }
    EXPECT_GT(first_tries.size(), 40U);
}

TEST(Plan, AFailureThatDoesNotPassWaitsForTheNextTime)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.ran(at("2026-11-24T02:00:00Z"), false, false);
    for (auto t = at("2026-11-24T02:01:00Z"); t < at("2026-11-25T02:00:00Z"); t += minutes{10})
        EXPECT_TRUE(m.ask(t).empty());
    EXPECT_EQ(m.ask(at("2026-11-25T02:00:00Z")).size(), 1U);
}

TEST(Plan, AChangedScheduleAsksForNothingThatLiesBeforeTheChange)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.ran(at("2026-11-24T02:00:00Z"), true);
    EXPECT_TRUE(m.ask(at("2026-11-24T14:50:00Z")).empty());
    domain::schedule later;
    later.daily_at = "14:00";
    m.asked = only_backup(later);
    EXPECT_TRUE(m.ask(at("2026-11-24T15:00:00Z")).empty()) << "today's backup is made";
    EXPECT_EQ(m.ask(at("2026-11-25T02:10:00Z")).size(), 1U) << "but no day is lost";
    m.ran(at("2026-11-25T02:10:00Z"), true);
    EXPECT_TRUE(m.ask(at("2026-11-25T13:00:00Z")).empty());
    EXPECT_EQ(m.ask(at("2026-11-25T14:00:00Z")).size(), 1U);
}

TEST(Plan, AJumpOfADayForthAndBackRunsEachTimeOnce)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.ran(at("2026-11-23T02:17:00Z"), true);
    m.live(at("2026-11-24T01:00:00Z"), at("2026-11-24T10:00:00Z"));
    ASSERT_EQ(m.runs.size(), 1U);
    m.live(at("2026-11-25T10:00:00Z"), at("2026-11-25T13:00:00Z")); // a day ahead
    ASSERT_EQ(m.runs.size(), 2U);
    m.live(at("2026-11-24T13:00:00Z"), at("2026-11-25T02:00:00Z")); // and back
    ASSERT_EQ(m.runs.size(), 2U) << "the time of the 24th was met";
    m.live(at("2026-11-25T02:00:00Z"), at("2026-11-26T02:00:00Z"));
    ASSERT_EQ(m.runs.size(), 3U) << "the real 25th has its backup";
}

TEST(Plan, AJumpBackNeverWaitsForTheClockToCatchUp)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.live(at("2036-11-24T02:00:00Z"), at("2036-11-24T10:00:00Z")); // a clock ten years ahead
    ASSERT_EQ(m.runs.size(), 1U);
    m.live(at("2026-11-24T13:00:00Z"), at("2026-11-27T10:00:00Z"));
    ASSERT_EQ(m.runs.size(), 5U) << "one at once, and one for each night";
}

TEST(Plan, ADisabledMachineRunsNothingButStaysInContact)
{
    const test::in_zone zone{"UTC"};
    situation s{.now = at("2026-11-24T12:00:00Z"), .enabled = false};
    const auto p = make_plan(daily_at_two(), who, *zone, s);
    EXPECT_TRUE(p.due.empty());
    EXPECT_TRUE(p.contact);
}

TEST(Plan, AsksTheServerOnlyWhenItsTurnHasCome)
{
    const test::in_zone zone{"UTC"};
    situation s{.now = at("2026-11-24T12:00:00Z")};
    s.last_contact = s.now - hours{3};
    EXPECT_FALSE(make_plan(daily_at_two(), who, *zone, s).contact);
    s.last_contact = s.now - hours{4};
    EXPECT_TRUE(make_plan(daily_at_two(), who, *zone, s).contact);
    s.last_contact = s.now + hours{1};
    EXPECT_TRUE(make_plan(daily_at_two(), who, *zone, s).contact) << "a time ahead says nothing";
    s.managed = false;
    EXPECT_FALSE(make_plan(daily_at_two(), who, *zone, s).contact);
    s.managed = true;
    s.reports_pending = 1;
    EXPECT_TRUE(make_plan(daily_at_two(), who, *zone, s).send_reports);
}

TEST(Plan, AWishForABackupIsDoneOnce)
{
    test::in_zone zone{"Europe/Berlin"};
    machine m{.zone = *zone};
    m.live(at("2026-06-10T00:00:00Z"), at("2026-06-11T00:00:00Z"));
    m.runs.clear();
    m.now.wish = "req_1";
    m.live(at("2026-06-11T10:00:00Z"), at("2026-06-11T20:00:00Z"));
    EXPECT_EQ(m.runs.size(), 1U) << "what was missed at night began after the wish, and does for both";
}

TEST(Plan, AWishIsDueBesidesAScheduleThatWasMet)
{
    test::in_zone zone{"Europe/Berlin"};
    machine m{.zone = *zone};
    m.live(at("2026-06-10T00:00:00Z"), at("2026-06-10T10:00:00Z"));
    m.runs.clear();
    m.now.wish = "req_1";
    const auto t = at("2026-06-10T10:17:00Z");
    const auto due = m.ask(t);
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].reason, reason::wished);
    m.ran(t, false);
    EXPECT_TRUE(m.ask(t + minutes{5}).empty()) << "a failure is tried again later";
    EXPECT_EQ(m.ask(t + minutes{40}).size(), 1U);
    m.ran(t + minutes{40}, true);
    EXPECT_TRUE(m.ask(t + minutes{44}).empty());
    m.ran(t + hours{2}, false, false);
    EXPECT_TRUE(m.ask(t + hours{3}).empty()) << "it was done, whatever happens later";
    m.now.wish = "req_2";
    EXPECT_EQ(m.ask(t + hours{3}).size(), 1U) << "the next one";
    m.now.enabled = false;
    EXPECT_TRUE(m.ask(t + hours{4}).empty());
}

TEST(Plan, ARunThatBeganBeforeTheWishDoesNotMeetIt)
{
    test::in_zone zone{"Europe/Berlin"};
    machine m{.zone = *zone};
    const auto t = at("2026-06-10T10:17:00Z");
    m.tick(t - hours{2});
    m.now.wish = "req_1";
    EXPECT_EQ(m.ask(t).size(), 1U);
    m.ran(t - minutes{2}, true);
    EXPECT_EQ(m.ask(t + minutes{2}).size(), 1U);
    m.now.records[job::backup].knew_wish = true;
    EXPECT_TRUE(m.ask(t + minutes{3}).empty()) << "unless it brought the wish: its config is fetched at its start";
}

TEST(Plan, SaysTheNextTimes)
{
    const test::in_zone zone{"UTC"};
    situation s{.now = at("2026-11-24T12:00:00Z")};
    const auto p = make_plan(daily_at_two(minutes{10}), who, *zone, s);
    EXPECT_EQ(p.next.at(job::backup), at("2026-11-25T02:10:00Z"));
}

// The night on which the clock changes, in three zones, both ways, at any time of the night and with any place in the
// window: one backup in each 24 hours around it, whenever the timer fires or does not.
RC_GTEST_PROP(Plan, ANightOnWhichTheClockChangesHasOneBackup, ())
{
    struct night {
        std::string zone, from;
    };
    const auto [name, from] = *rc::gen::element(
        night{"Europe/Berlin", "2026-03-28T12:00:00Z"}, night{"Europe/Berlin", "2026-10-24T12:00:00Z"},
        night{"America/New_York", "2026-03-07T18:00:00Z"}, night{"America/New_York", "2026-10-31T18:00:00Z"},
        night{"Australia/Lord_Howe", "2026-10-03T02:00:00Z"}, night{"Australia/Lord_Howe", "2026-04-04T02:00:00Z"});
    const test::in_zone zone{name};
    auto asked = daily_at_two(seconds{*rc::gen::inRange(0, 3600)});
    asked.jobs[0].when = domain::daily(*rc::gen::inRange(0, 5 * 60));
    machine m{.asked = asked, .zone = *zone};
    const auto step = minutes{*rc::gen::inRange(1, 60)};
    m.ran(at(from) - hours{1}, true);
    for (auto t = at(from); t < at(from) + hours{24}; t += step) m.tick(t);
    RC_ASSERT(m.runs.size() == 1U);
    RC_ASSERT(m.runs[0].first - m.runs[0].second < step);
}

// Whatever the clock does - sleep, steps back by hours - no time of the schedule is met twice.
RC_GTEST_PROP(Plan, NoTimeIsMetTwice, ())
{
    const test::in_zone zone{"Europe/Berlin"};
    machine m{.asked = daily_at_two(seconds{*rc::gen::inRange(0, 3600)}), .zone = *zone};
    auto t = at("2026-10-20T12:00:00Z");
    auto latest = t;
    for (const auto step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(-180, 3 * 24 * 60))) {
        t = std::max(t + minutes{step}, latest - hours{5});
        latest = std::max(latest, t);
        m.tick(t);
    }
    std::set<time_point> times;
    for (const auto& [when, time] : m.runs) RC_ASSERT(times.insert(time).second);
}

TEST(Plan, AClockThatIsCorrectedByHoursRunsNothingTwice)
{
    const test::in_zone zone{"UTC"};
    machine m{.zone = *zone};
    m.ran(at("2026-11-23T02:00:00Z"), true);
    m.live(at("2026-11-24T02:00:00Z"), at("2026-11-24T03:00:00Z"));
    m.live(at("2026-11-24T00:00:00Z"), at("2026-11-25T01:00:00Z"));
    EXPECT_EQ(m.runs.size(), 1U);
}

} // namespace
} // namespace xentz::schedule
