#include "domain/policy.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

namespace xentz::domain {
namespace {

std::string fault_of(const policy& p)
{
    const auto ok = validate(p);
    return ok ? "" : ok.error().message;
}

TEST(policy, the_default_is_valid_and_names_no_folder)
{
    const auto p = default_policy();
    EXPECT_EQ(fault_of(p), "");
    EXPECT_TRUE(p.include.empty());
    EXPECT_EQ(p.schedule.daily_at, "02:00");
    EXPECT_EQ(p.schedule.jitter_minutes, 60U);
    EXPECT_EQ(p.retention.keep_daily, 7U);
    EXPECT_EQ(p.retention.keep_weekly, 4U);
    EXPECT_EQ(p.retention.keep_monthly, 12U);
    EXPECT_TRUE(p.retention.prune);
    EXPECT_FALSE(p.exclude.empty());
}

struct rule {
    std::string name;
    std::function<void(policy&)> breaking;
    std::string message; // begins with
};

void PrintTo(const rule& r, std::ostream* out) { *out << r.name; }

class policy_rule : public testing::TestWithParam<rule> {};

TEST_P(policy_rule, is_told_with_the_name_of_the_field)
{
    auto p = default_policy();
    GetParam().breaking(p);
    const auto ok = validate(p);
    ASSERT_FALSE(ok);
    EXPECT_EQ(ok.error().code, base::fault_code::invalid_value);
    EXPECT_EQ(ok.error().message.substr(0, GetParam().message.size()), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    policy, policy_rule,
    testing::Values(
        rule{"daily", [](policy& p) { p.schedule.daily_at = "24:00"; }, "schedule.daily_at must be HH:MM"},
        rule{"daily_short", [](policy& p) { p.schedule.daily_at = "2:00"; }, "schedule.daily_at must be HH:MM"},
        rule{"daily_minute", [](policy& p) { p.schedule.daily_at = "02:60"; }, "schedule.daily_at must be HH:MM"},
        rule{"daily_empty", [](policy& p) { p.schedule.daily_at = ""; }, "schedule.daily_at must be HH:MM"},
        rule{"daily_sign", [](policy& p) { p.schedule.daily_at = "-1:00"; }, "schedule.daily_at must be HH:MM"},
        rule{"retention_at", [](policy& p) { p.schedule.retention_at = "noon"; },
             "schedule.retention_at must be HH:MM"},
        rule{"check_at", [](policy& p) { p.schedule.check_at = "12.30"; }, "schedule.check_at must be HH:MM"},
        rule{"jitter", [](policy& p) { p.schedule.jitter_minutes = 1441; },
             "schedule.jitter_minutes must be 0 to 1440"},
        rule{"relative", [](policy& p) { p.include = {"/etc", "home"}; },
             "include[1] must be an absolute path, not \"home\""},
        rule{"dot", [](policy& p) { p.include = {"./etc"}; }, "include[0] must be an absolute path"},
        rule{"option", [](policy& p) { p.include = {"--stdin"}; }, "include[0] must be an absolute path"},
        rule{"drive_only", [](policy& p) { p.include = {"C:data"}; }, "include[0] must be an absolute path"},
        rule{"empty_include", [](policy& p) { p.include = {""}; }, "include[0] is empty"},
        rule{"long_include", [](policy& p) { p.include = {"/" + std::string(4096, 'a')}; },
             "include[0] is longer than 4096"},
        rule{"many_includes", [](policy& p) { p.include.assign(1001, "/a"); }, "include has more than 1000 entries"},
        rule{"line_break", [](policy& p) { p.include = {"/a\nb"}; }, "include[0] contains a NUL or a line break"},
        rule{"nul", [](policy& p) { p.include = {std::string("/a\0b", 4)}; },
             "include[0] contains a NUL or a line break"},
        rule{"not_utf8", [](policy& p) { p.include = {"/gr\xf6\xdf"}; }, "include[0] is not UTF-8"},
        rule{"empty_exclude", [](policy& p) { p.exclude = {"*.tmp", ""}; }, "exclude[1] is empty"},
        rule{"exclude_cr", [](policy& p) { p.exclude = {"a\rb"}; }, "exclude[0] contains a NUL or a line break"},
        rule{"many_excludes", [](policy& p) { p.exclude.assign(1001, "a"); }, "exclude has more than 1000 entries"},
        rule{"compression", [](policy& p) { p.restic.compression = "best"; },
             "restic.compression must be auto, off or max"},
        rule{"last", [](policy& p) { p.retention.keep_last = 100'001; }, "retention.keep_last must be at most 100000"},
        rule{"daily_kept", [](policy& p) { p.retention.keep_daily = 100'001; }, "retention.keep_daily must be at most"},
        rule{"weekly", [](policy& p) { p.retention.keep_weekly = 100'001; }, "retention.keep_weekly must be at most"},
        rule{"monthly", [](policy& p) { p.retention.keep_monthly = 100'001; },
             "retention.keep_monthly must be at most"},
        rule{"yearly", [](policy& p) { p.retention.keep_yearly = 100'001; }, "retention.keep_yearly must be at most"},
        rule{"within", [](policy& p) { p.retention.keep_within = "7 days"; },
             "retention.keep_within must be a duration"},
        rule{"within_empty", [](policy& p) { p.retention.keep_within = ""; },
             "retention.keep_within must be a duration"},
        rule{"within_order", [](policy& p) { p.retention.keep_within = "2h7d"; },
             "retention.keep_within must be a duration"},
        rule{"within_unit", [](policy& p) { p.retention.keep_within = "7"; },
             "retention.keep_within must be a duration"},
        rule{"within_twice", [](policy& p) { p.retention.keep_within = "7d7d"; },
             "retention.keep_within must be a duration"},
        rule{"nothing", [](policy& p) { p.retention = {}; }, "retention would keep no snapshot at all"},
        rule{"zero_within", [](policy& p) { p.retention = {.keep_within = "0d"}; },
             "retention would keep no snapshot"}),
    [](const auto& test) { return test.param.name; });

TEST(policy, what_lies_on_the_border_is_accepted)
{
    auto p = default_policy();
    p.schedule = {.daily_at = "00:00", .retention_at = "23:59", .check_at = "09:30", .jitter_minutes = 1440};
    p.include = {"/",          "/" + std::string(4095, 'a'), "C:\\data", "d:/data", "\\\\server\\share", "/größe",
                 "/with blank"};
    p.exclude = {"*.tmp", "relative/too", "/"};
    p.restic = {.compression = "off", .limit_upload_kib = 0};
    p.retention = {.keep_last = 100'000, .keep_within = "1y5m7d2h"};
    EXPECT_EQ(fault_of(p), "");
    for (const auto* level : {"auto", "max"}) {
        p.restic.compression = level;
        EXPECT_EQ(fault_of(p), "");
    }
    p.retention = {.keep_within = "10h"};
    EXPECT_EQ(fault_of(p), "");
}

TEST(policy, each_rule_alone_keeps_something)
{
    EXPECT_TRUE(keeps_nothing({}));
    EXPECT_TRUE(keeps_nothing({.keep_within = "0d"}));
    EXPECT_FALSE(keeps_nothing({.keep_last = 1}));
    EXPECT_FALSE(keeps_nothing({.keep_daily = 1}));
    EXPECT_FALSE(keeps_nothing({.keep_weekly = 1}));
    EXPECT_FALSE(keeps_nothing({.keep_monthly = 1}));
    EXPECT_FALSE(keeps_nothing({.keep_yearly = 1}));
    EXPECT_FALSE(keeps_nothing({.keep_within = "10d"}));
}

// Texts that come close to what is allowed.
rc::Gen<std::string> path_like()
{
    return rc::gen::oneOf(
        rc::gen::container<std::string>(rc::gen::elementOf(std::string{"/a.:\\C\n-", 8})),
        rc::gen::map(rc::gen::arbitrary<std::string>(), [](const std::string& s) { return "/" + s; }));
}

std::optional<std::string> to_optional(const rc::Maybe<std::string>& m) { return m ? std::optional{*m} : std::nullopt; }

TEST(policy, whatever_is_accepted_keeps_something_and_names_whole_paths)
{
    EXPECT_TRUE(rc::check([] {
        policy p;
        p.include = *rc::gen::container<std::vector<std::string>>(path_like());
        p.exclude = *rc::gen::container<std::vector<std::string>>(path_like());
        p.retention.keep_last = *rc::gen::inRange(0U, 3U);
        p.retention.keep_within =
            to_optional(*rc::gen::maybe(rc::gen::container<std::string>(rc::gen::elementOf(std::string{"01ymdh"}))));
        if (!validate(p)) return;
        RC_ASSERT(!keeps_nothing(p.retention));
        for (const auto& path : p.include) {
            // Outside of the macro, which knows no short-circuit: "/" has no second character.
            const bool whole = path.front() == '/' || path.front() == '\\' || path.at(1) == ':';
            RC_ASSERT(whole);
            RC_ASSERT(path.find_first_of(std::string("\0\n\r", 3)) == std::string::npos);
        }
        for (const auto& pattern : p.exclude) RC_ASSERT(!pattern.empty());
    }));
}

} // namespace
} // namespace xentz::domain
