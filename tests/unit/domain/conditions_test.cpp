#include "domain/conditions.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace xentz::domain {
namespace {

using namespace std::chrono_literals;

window between(const std::string& from, const std::string& to, std::uint32_t deadline = 24)
{
    window w;
    w.from = from;
    w.to = to;
    w.deadline_hours = deadline;
    return w;
}

conditions within(const window& w) { return {.not_on_battery = {}, .not_on_metered = {}, .only_within = w}; }

bool waits(const conditions& c, std::chrono::minutes time)
{
    return find_hindrance(c, {.time_of_day = time}).has_value();
}

TEST(conditions, a_window_is_open_from_its_beginning_and_closed_at_its_end)
{
    const auto c = within(between("09:00", "17:30"));
    EXPECT_TRUE(waits(c, 8h + 59min));
    EXPECT_FALSE(waits(c, 9h));
    EXPECT_FALSE(waits(c, 17h + 29min));
    EXPECT_TRUE(waits(c, 17h + 30min));
}

TEST(conditions, a_window_may_go_over_midnight)
{
    const auto c = within(between("22:00", "06:00"));
    EXPECT_FALSE(waits(c, 22h));
    EXPECT_FALSE(waits(c, 0h));
    EXPECT_FALSE(waits(c, 5h + 59min));
    EXPECT_TRUE(waits(c, 6h));
    EXPECT_TRUE(waits(c, 21h + 59min));
}

TEST(conditions, each_has_a_reason_that_a_person_understands)
{
    conditions c{.not_on_battery = patience{.deadline_hours = 12}, .not_on_metered = patience{}, .only_within = {}};
    EXPECT_FALSE(find_hindrance(c, {}));
    const auto battery = find_hindrance(c, {.on_battery = true, .on_metered = true});
    EXPECT_EQ(battery, (hindrance{"this machine runs on battery", 12h}));
    EXPECT_EQ(find_hindrance(c, {.on_metered = true})->why, "this machine is on a metered connection");
    c.only_within = between("09:00", "17:00");
    EXPECT_EQ(find_hindrance(c, {.time_of_day = 3h})->why, "it is not between 09:00 and 17:00");
}

TEST(conditions, after_its_deadline_none_holds_a_run_back)
{
    const conditions c{.not_on_battery = patience{.deadline_hours = 2},
                       .not_on_metered = patience{.deadline_hours = 3},
                       .only_within = {}};
    EXPECT_TRUE(find_hindrance(c, {.waited = 2h - 1s, .on_battery = true}));
    EXPECT_FALSE(find_hindrance(c, {.waited = 2h, .on_battery = true}));
    EXPECT_EQ(find_hindrance(c, {.waited = 2h, .on_battery = true, .on_metered = true})->deadline, 3h);
    EXPECT_FALSE(find_hindrance(c, {.waited = 3h, .on_battery = true, .on_metered = true}));
}

RC_GTEST_PROP(conditions, hold_nothing_back_for_longer_than_the_longest_deadline, ())
{
    const auto hours = [] { return *rc::gen::inRange<std::uint32_t>(1, 721); };
    const conditions c{.not_on_battery = patience{hours()},
                       .not_on_metered = patience{hours()},
                       .only_within = between("10:00", "13:00", hours())};
    const auto longest =
        std::max({c.not_on_battery->deadline_hours, c.not_on_metered->deadline_hours, c.only_within->deadline_hours});
    moment m{.time_of_day = std::chrono::minutes{*rc::gen::inRange(0, 24 * 60)},
             .waited = std::chrono::hours{longest},
             .on_battery = *rc::gen::arbitrary<bool>(),
             .on_metered = *rc::gen::arbitrary<bool>()};
    RC_ASSERT(!find_hindrance(c, m));
    m.waited = std::chrono::hours{*rc::gen::inRange<std::uint32_t>(0, longest)};
    if (const auto h = find_hindrance(c, m)) RC_ASSERT(m.waited < h->deadline);
}

TEST(conditions, are_refused_where_they_make_no_sense)
{
    const auto trouble = [](const conditions& c) { return validate(c) ? "" : validate(c).error().message; };
    EXPECT_EQ(trouble({}), "");
    EXPECT_EQ(trouble(within(between("22:00", "06:00"))), "");
    EXPECT_EQ(trouble(within(between("22:00", "24:00"))),
              "conditions.only_within.to must be a time such as 22:00, not \"24:00\"");
    EXPECT_EQ(trouble(within(between("9:00", "12:00"))),
              "conditions.only_within.from must be a time such as 22:00, not \"9:00\"");
    EXPECT_EQ(trouble(within(between("22:00", "23:30"))), "conditions.only_within must be at least two hours long");
    EXPECT_EQ(trouble(within(between("23:00", "00:30"))), "conditions.only_within must be at least two hours long");
    EXPECT_EQ(trouble(within(between("12:00", "12:00"))), "conditions.only_within must be at least two hours long");
    EXPECT_EQ(trouble({.not_on_battery = patience{.deadline_hours = 721}, .not_on_metered = {}, .only_within = {}}),
              "conditions.not_on_battery.deadline_hours must be 1 to 720, not 721");
}

} // namespace
} // namespace xentz::domain
