#include "domain/names.hpp"
#include "domain/report.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace xentz::domain {
namespace {

TEST(names, are_safe_as_one_segment_of_an_address)
{
    for (const auto* good : {"a", "default", "web-1.example_com", "0", "...", ".a"}) EXPECT_TRUE(is_name(good)) << good;
    EXPECT_TRUE(is_name(std::string(64, 'x')));
    EXPECT_FALSE(is_name(std::string(65, 'x')));
    for (const auto* bad : {"", ".", "..", "A", "a b", "a/b", "a%2fb", "ä", "a\n", "a:b", "a@b"})
        EXPECT_FALSE(is_name(bad)) << bad;
}

TEST(names, the_field_is_named_where_it_is_none)
{
    EXPECT_TRUE(check_name("user_id", "default"));
    const auto r = check_name("user_id", "..");
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, base::fault_code::invalid_value);
    EXPECT_TRUE(r.error().message.starts_with("user_id must be 1 to 64 of")) << r.error().message;
}

TEST(names, no_text_with_a_separator_is_one)
{
    EXPECT_TRUE(rc::check([](const std::string& a, const std::string& b) {
        for (const char c : {'/', '\\', '\0', '%', '?', '#'}) RC_ASSERT(!is_name(a + c + b));
    }));
}

TEST(report, jobs_and_states_have_their_contract_names)
{
    EXPECT_EQ(name(job::backup), "backup");
    EXPECT_EQ(name(job::retention), "retention");
    EXPECT_EQ(name(job::check), "check");
    EXPECT_EQ(name(job::restore), "restore");
    EXPECT_EQ(name(run_status::success), "success");
    EXPECT_EQ(name(run_status::partial), "partial");
    EXPECT_EQ(name(run_status::failure), "failure");
    for (const auto j : {job::backup, job::retention, job::check, job::restore}) EXPECT_EQ(parse_job(name(j)), j);
    EXPECT_FALSE(parse_job("Backup"));
    EXPECT_FALSE(parse_job(""));
}

TEST(report, a_fault_travels_with_its_code_and_whether_it_may_pass)
{
    const auto passing = to_run_fault({base::fault_code::repository_locked, "busy", "Wait"});
    EXPECT_EQ(passing, (run_fault{"repository-locked", "busy", "Wait", true}));
    EXPECT_FALSE(to_run_fault({base::fault_code::wrong_password, "no", ""}).retry);
}

} // namespace
} // namespace xentz::domain
