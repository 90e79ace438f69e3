#include "control/deletion_alarm.hpp"

#include "base/time_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

namespace xentz::control {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

const auto first_day = base::parse_rfc3339("2026-01-01T02:00:00Z").value();

std::vector<base::time_point> one_a_day(int n)
{
    std::vector<base::time_point> out;
    for (int i = 0; i < n; ++i) out.push_back(first_day + days{i});
    return out;
}

TEST(kept_at_least, follows_each_rule)
{
    EXPECT_EQ(kept_at_least({.keep_last = 3}, one_a_day(10)), 3U);
    EXPECT_EQ(kept_at_least({.keep_last = 30}, one_a_day(10)), 10U);
    EXPECT_EQ(kept_at_least({.keep_daily = 7}, one_a_day(10)), 7U);
    EXPECT_EQ(kept_at_least({.keep_weekly = 4}, one_a_day(60)), 4U);
    EXPECT_EQ(kept_at_least({.keep_monthly = 12}, one_a_day(90)), 3U);
    EXPECT_EQ(kept_at_least({.keep_yearly = 5}, one_a_day(800)), 3U);
    EXPECT_EQ(kept_at_least({.keep_within = "7d"}, one_a_day(10)), 7U);
    EXPECT_EQ(kept_at_least({.keep_within = "1m12h"}, one_a_day(60)), 29U);
    EXPECT_EQ(kept_at_least({.keep_last = 3, .keep_daily = 7}, one_a_day(10)), 7U) << "rules overlap";
    EXPECT_EQ(kept_at_least({.keep_last = 3}, {}), 0U);
}

TEST(kept_at_least, counts_days_where_they_are_fewest)
{
    // Two in one night: of one day in some time zones, of two in others.
    EXPECT_EQ(kept_at_least({.keep_daily = 7}, {first_day + 21h, first_day + 23h}), 1U);
    EXPECT_EQ(kept_at_least({.keep_daily = 7}, {first_day, first_day + 26h}), 2U) << "of two wherever one is";
}

std::vector<store::snapshot_life> lives(int all, int present)
{
    std::vector<store::snapshot_life> out;
    for (int i = 0; i < all; ++i) out.push_back({std::to_string(i), first_day + days{i}, i >= all - present});
    return out;
}

deletion_facts sound()
{
    return {.retention = {.keep_last = 3},
            .snapshots = lives(10, 3),
            .gone = {{"data", 5, 5000}, {"index", 2, 20}, {"snapshots", 7, 70}},
            .present = {{.type = "data", .live_objects = 20}, {.type = "keys", .live_objects = 1}}};
}

std::string said(const deletion_facts& f)
{
    std::string out;
    for (const auto& line : unexplained(f)) out += line + "\n";
    return out;
}

TEST(unexplained, is_nothing_of_what_the_policy_does)
{
    EXPECT_EQ(said(sound()), "");
    auto never_thinned_out = sound();
    never_thinned_out.snapshots = lives(10, 10);
    never_thinned_out.gone.clear();
    EXPECT_EQ(said(never_thinned_out), "");
    EXPECT_EQ(said({.retention = {.keep_last = 3}}), "") << "a repository that was never used";
}

TEST(unexplained, are_snapshots_that_the_policy_keeps)
{
    auto f = sound();
    f.snapshots = lives(10, 2);
    EXPECT_EQ(said(f), "of 10 snapshots 2 are left, and the policy keeps at least 3\n");
    f.retention = {.keep_daily = 3};
    EXPECT_EQ(said(f), "") << "a backup may end on another day than it began";
    f.snapshots = lives(10, 1);
    EXPECT_NE(said(f), "");
    f.snapshots = lives(1, 0);
    EXPECT_NE(said(f), "") << "the last one never goes";
}

TEST(unexplained, is_a_prune_that_nobody_ordered)
{
    auto f = sound();
    f.retention.prune = false;
    EXPECT_EQ(said(f), "5 packs of 4.9 KiB were deleted, and the policy does not prune\n"
                       "2 index files of 20 B were deleted, and the policy does not prune\n");
    f.gone = {{"snapshots", 7, 70}};
    EXPECT_EQ(said(f), "");
}

TEST(unexplained, are_packs_where_no_snapshot_went)
{
    auto f = sound();
    f.snapshots = lives(3, 3);
    EXPECT_EQ(said(f), "") << "some may have been rewritten";
    f.gone = {{"data", 21, 1 << 20}};
    EXPECT_EQ(said(f), "21 packs of 1.0 MiB were deleted, more than are left, though no snapshot was\n");
}

TEST(unexplained, are_a_config_and_the_last_key)
{
    auto f = sound();
    f.gone.push_back({"config", 1, 155});
    f.gone.push_back({"keys", 1, 400});
    EXPECT_EQ(said(f), "the config was deleted or replaced, which only a migration does\n");
    f.present.pop_back();
    EXPECT_EQ(said(f), "the config was deleted or replaced, which only a migration does\nno key is left\n");
}

} // namespace
} // namespace xentz::control
