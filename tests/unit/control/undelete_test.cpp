#include "control/sweep_clock.hpp"
#include "control/undelete.hpp"

#include <gtest/gtest.h>

#include <string>

namespace xentz::control {
namespace {

using namespace std::chrono_literals;
using store::object_life;

object_life life(std::int64_t from, const std::string& type, const std::string& hash,
                 std::optional<std::int64_t> until = {}, bool in_trash = true)
{
    return {.place = from,
            .type = type,
            .name = type == "config" ? "" : hash,
            .hash = hash,
            .bytes = 1,
            .first_place = from,
            .left_place = until,
            .in_trash = until && in_trash};
}

// "data/a keys/b", in order.
std::string text(const std::vector<object_life>& lives)
{
    std::string out;
    for (const auto& l : lives) out += (out.empty() ? "" : " ") + l.type + "/" + l.hash;
    return out;
}

TEST(undelete, puts_back_what_left_and_keeps_what_came_later)
{
    const auto p = plan_undelete({life(1, "data", "a", 11), life(2, "snapshots", "s", 12), life(12, "data", "new"),
                                  life(13, "snapshots", "mine", 15), life(3, "index", "i", 14)},
                                 {.place = 10});
    EXPECT_EQ(text(p.restore), "data/a index/i snapshots/s snapshots/mine");
    EXPECT_EQ(text(p.bury), "");
}

TEST(undelete, exact_goes_back_to_what_was_there)
{
    const auto p = plan_undelete({life(1, "data", "a", 11), life(12, "data", "new"), life(13, "snapshots", "x", 15),
                                  life(14, "index", "poison"), life(16, "keys", "thief"), life(17, "locks", "l")},
                                 {.place = 10, .exact = true});
    EXPECT_EQ(text(p.restore), "data/a");
    EXPECT_EQ(text(p.bury), "keys/thief index/poison data/new");
}

TEST(undelete, what_was_stored_again_is_there)
{
    for (const bool exact : {false, true}) {
        const auto p = plan_undelete({life(1, "data", "a", 11), life(12, "data", "a")}, {.place = 10, .exact = exact});
        EXPECT_EQ(text(p.restore), "");
        EXPECT_EQ(text(p.bury), "");
    }
}

TEST(undelete, keys_come_back_only_when_asked_for)
{
    const std::vector<object_life> changes{life(1, "keys", "old", 11), life(12, "keys", "thief")};
    auto p = plan_undelete(changes, {.place = 10});
    EXPECT_EQ(text(p.restore), "");
    EXPECT_EQ(p.keys_left_out, 1U);
    p = plan_undelete(changes, {.place = 10, .exact = true, .keys = true});
    EXPECT_EQ(text(p.restore), "keys/old");
    EXPECT_EQ(text(p.bury), "keys/thief");
}

TEST(undelete, never_leaves_a_repository_without_a_key)
{
    const std::vector<object_life> changes{life(1, "keys", "old", 11), life(12, "keys", "thief")};
    const auto without = plan_undelete(changes, {.place = 10, .exact = true});
    const auto refused = check_undelete(without, 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::fault_code::conflict);
    EXPECT_TRUE(check_undelete(plan_undelete(changes, {.place = 10, .exact = true, .keys = true}), 1));
    EXPECT_TRUE(check_undelete({}, 0)) << "nothing to do";
}

TEST(undelete, the_config_of_that_place_wins)
{
    for (const bool exact : {false, true}) {
        const auto p =
            plan_undelete({life(1, "config", "ours", 11), life(12, "config", "theirs")}, {.place = 10, .exact = exact});
        EXPECT_EQ(text(p.restore), "config/ours");
        EXPECT_EQ(text(p.bury), "config/theirs");
        EXPECT_TRUE(p.config_changes);
    }
    const auto several = plan_undelete(
        {life(1, "config", "ours", 11), life(12, "config", "second", 13), life(14, "config", "third", 15)},
        {.place = 10});
    EXPECT_EQ(text(several.restore), "config/ours");
    const auto same = plan_undelete({life(1, "config", "ours", 11), life(12, "config", "ours")}, {.place = 10});
    EXPECT_EQ(text(same.restore) + text(same.bury), "");
}

TEST(undelete, a_config_that_came_and_went_since_comes_back_only_where_there_is_none)
{
    const auto p = plan_undelete({life(12, "config", "only", 13)}, {.place = 10});
    EXPECT_EQ(text(p.restore), "config/only");
}

TEST(undelete, locks_never_come_back)
{
    EXPECT_EQ(text(plan_undelete({life(1, "locks", "l", 11)}, {.place = 10}).restore), "");
}

TEST(undelete, says_what_the_trash_has_not_kept)
{
    const auto p = plan_undelete({life(1, "data", "a", 11, false)}, {.place = 10});
    EXPECT_EQ(text(p.restore), "");
    EXPECT_EQ(text(p.lost), "data/a");
}

TEST(undelete, can_be_undone)
{
    // At place 20 the trash held a, and b was present; the undelete then brought a back (21) and buried b (22).
    const std::vector<object_life> changes{life(1, "data", "a", 11, false), life(21, "data", "a"),
                                           life(12, "data", "b", 22)};
    const auto p = plan_undelete({changes[1], changes[2]}, {.place = 20, .exact = true, .keys = true});
    EXPECT_EQ(text(p.restore), "data/b");
    EXPECT_EQ(text(p.bury), "data/a");
    // And the place before all of it can still be reached: a was there, b was not.
    const auto first = plan_undelete(changes, {.place = 10, .exact = true});
    EXPECT_EQ(text(first.restore) + text(first.bury), "");
}

constexpr base::time_point noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + 12h};

TEST(the_clock_of_the_sweep, starts_without_purging)
{
    const auto j = judge_sweep({}, {}, {noon, 0us});
    EXPECT_FALSE(j.may_purge);
    EXPECT_EQ(j.next.trusted_at, noon);
}

TEST(the_clock_of_the_sweep, advances_by_what_has_passed)
{
    const sweep_time last{noon, noon};
    const auto j = judge_sweep(last, sweep_instant{noon, 10s}, {noon + 1h, 10s + 1h});
    EXPECT_TRUE(j.may_purge);
    EXPECT_EQ(j.next.trusted_at, noon + 1h);
    EXPECT_EQ(j.next.swept_at, noon + 1h);
}

TEST(the_clock_of_the_sweep, does_not_follow_a_jump)
{
    const sweep_time last{noon, noon};
    auto j = judge_sweep(last, sweep_instant{noon, 0us}, {noon + std::chrono::days{40}, 1h});
    EXPECT_FALSE(j.may_purge);
    EXPECT_EQ(j.next.trusted_at, noon + 1h);
    j = judge_sweep(last, sweep_instant{noon, 0us}, {noon - std::chrono::days{40}, 1h});
    EXPECT_FALSE(j.may_purge);
    EXPECT_EQ(j.next.trusted_at, noon);
    // The next sweep agrees with the one before, but what was deleted yesterday is still a day old.
    j = judge_sweep(sweep_time{noon + 1h, noon + std::chrono::days{40}},
                    sweep_instant{noon + std::chrono::days{40}, 1h}, {noon + std::chrono::days{40} + 1h, 2h});
    EXPECT_TRUE(j.may_purge);
    EXPECT_EQ(j.next.trusted_at, noon + 2h);
}

TEST(the_clock_of_the_sweep, believes_a_day_across_a_restart_at_most)
{
    const sweep_time last{noon, noon};
    EXPECT_EQ(judge_sweep(last, {}, {noon + 8h, 0us}).next.trusted_at, noon + 8h);
    const auto j = judge_sweep(last, {}, {noon + std::chrono::days{40}, 0us});
    EXPECT_EQ(j.next.trusted_at, noon + 24h);
    EXPECT_FALSE(judge_sweep(last, {}, {noon - 1h, 0us}).may_purge);
}

TEST(the_clock_of_the_sweep, a_share_of_the_trash_goes_in_a_day)
{
    EXPECT_EQ(purge_budget(std::int64_t{4} << 30U), std::int64_t{1} << 30U);
    EXPECT_EQ(purge_budget(10), std::int64_t{64} << 20U);
}

} // namespace
} // namespace xentz::control
