#include "base/time_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace xentz::base {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t last_micro = 253'402'300'799'999'999; // 9999-12-31T23:59:59.999999Z

time_point at(std::int64_t micros) { return time_point{std::chrono::microseconds{micros}}; }

std::string reprinted(std::string_view text)
{
    const auto t = parse_rfc3339(text);
    return t ? to_rfc3339(*t) : "refused";
}

TEST(time_text, prints_utc_and_leaves_out_a_zero_fraction)
{
    EXPECT_EQ(to_rfc3339(at(0)), "1970-01-01T00:00:00Z");
    EXPECT_EQ(to_rfc3339(at(1'795'458'665'000'000)), "2026-11-23T18:31:05Z");
    EXPECT_EQ(to_rfc3339(at(1'795'458'665'123'456)), "2026-11-23T18:31:05.123456Z");
    EXPECT_EQ(to_rfc3339(at(1'795'458'665'000'007)), "2026-11-23T18:31:05.000007Z");
    EXPECT_EQ(to_rfc3339(at(last_micro)), "9999-12-31T23:59:59.999999Z");
}

TEST(time_text, every_instant_comes_back)
{
    EXPECT_TRUE(rc::check([] {
        const auto t = at(*rc::gen::inRange<std::int64_t>(0, last_micro));
        RC_ASSERT(parse_rfc3339(to_rfc3339(t)) == t);
    }));
}

TEST(time_text, what_is_accepted_can_be_printed_and_read_again)
{
    EXPECT_TRUE(rc::check([] {
        const auto digits = rc::gen::container<std::string>(rc::gen::elementOf(std::string{"0123456789-:TtZz.+ "}));
        const auto text = *rc::gen::oneOf(digits, rc::gen::arbitrary<std::string>());
        const auto t = parse_rfc3339(text);
        if (t) RC_ASSERT(parse_rfc3339(to_rfc3339(*t)) == t);
    }));
}

TEST(time_text, offsets_are_taken_off)
{
    EXPECT_EQ(reprinted("2026-11-23T18:31:05+01:00"), "2026-11-23T17:31:05Z");
    EXPECT_EQ(reprinted("2026-11-23T18:31:05-05:30"), "2026-11-24T00:01:05Z");
    EXPECT_EQ(reprinted("2026-11-23T18:31:05-00:00"), "2026-11-23T18:31:05Z");
    EXPECT_EQ(reprinted("2026-01-01T00:30:00+01:00"), "2025-12-31T23:30:00Z");
}

TEST(time_text, fractions_are_cut_to_microseconds)
{
    EXPECT_EQ(reprinted("2026-11-23T18:31:05.5Z"), "2026-11-23T18:31:05.500000Z");
    EXPECT_EQ(reprinted("2026-11-23T18:31:05.123456789Z"), "2026-11-23T18:31:05.123456Z");
    EXPECT_EQ(reprinted("2026-11-23T18:31:05.000000999+00:00"), "2026-11-23T18:31:05Z");
}

TEST(time_text, lower_case_letters_and_a_blank_are_allowed)
{
    EXPECT_EQ(reprinted("2026-11-23t18:31:05z"), "2026-11-23T18:31:05Z");
    EXPECT_EQ(reprinted("2026-11-23 18:31:05Z"), "2026-11-23T18:31:05Z");
}

TEST(time_text, the_calendar_counts)
{
    EXPECT_EQ(reprinted("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00Z");
    EXPECT_EQ(reprinted("2000-02-29T00:00:00Z"), "2000-02-29T00:00:00Z");
    EXPECT_EQ(reprinted("2023-02-29T00:00:00Z"), "refused");
    EXPECT_EQ(reprinted("2100-02-29T00:00:00Z"), "refused");
    EXPECT_EQ(reprinted("2026-04-31T00:00:00Z"), "refused");
    EXPECT_EQ(reprinted("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z"); // a leap second
}

TEST(time_text, only_the_years_1970_to_9999_in_utc)
{
    EXPECT_EQ(reprinted("1969-12-31T23:59:59Z"), "refused");
    EXPECT_EQ(reprinted("1970-01-01T00:00:00+00:01"), "refused");
    EXPECT_EQ(reprinted("1970-01-01T01:00:00+01:00"), "1970-01-01T00:00:00Z");
    EXPECT_EQ(reprinted("9999-12-31T23:59:59-00:01"), "refused");
    EXPECT_EQ(reprinted("9999-12-31T23:59:60Z"), "refused");
    EXPECT_EQ(reprinted("9999-12-31T23:59:59.999999Z"), "9999-12-31T23:59:59.999999Z");
}

class malformed_time : public testing::TestWithParam<const char*> {};

TEST_P(malformed_time, is_refused) { EXPECT_FALSE(parse_rfc3339(GetParam())) << GetParam(); }

INSTANTIATE_TEST_SUITE_P(time_text, malformed_time,
                         testing::Values("", "2026", "2026-11-23", "2026-11-23T18:31:05", "2026-11-23T18:31Z",
                                         "2026-11-23T24:00:00Z", "2026-11-23T18:60:00Z", "2026-11-23T18:31:61Z",
                                         "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
                                         "2026-11-23T18:31:05.Z", "2026-11-23T18:31:05.1234567890Z",
                                         "2026-11-23T18:31:05+0100", "2026-11-23T18:31:05+24:00",
                                         "2026-11-23T18:31:05+01:60", "2026-11-23T18:31:05Z ", " 2026-11-23T18:31:05Z",
                                         "2026-11-23T18:31:05ZZ", "2026-11-23X18:31:05Z", "26-11-23T18:31:05Z",
                                         "2026-1-23T18:31:05Z", "+026-11-23T18:31:05Z", "2026-11-23T1 :31:05Z"));

TEST(time_text, file_stamps_sort_by_time)
{
    EXPECT_EQ(to_file_stamp(at(1'795'458'665'123'456)), "20261123T183105.123456Z");
    EXPECT_EQ(to_file_stamp(at(1'795'458'665'000'000)), "20261123T183105.000000Z");
    EXPECT_TRUE(rc::check([] {
        const auto a = at(*rc::gen::inRange<std::int64_t>(0, last_micro));
        const auto b = at(*rc::gen::inRange<std::int64_t>(0, last_micro));
        RC_ASSERT((to_file_stamp(a) < to_file_stamp(b)) == (a < b));
    }));
}

TEST(time_text, durations_in_words)
{
    EXPECT_EQ(to_words(0ms), "0 ms");
    EXPECT_EQ(to_words(420ms), "420 ms");
    EXPECT_EQ(to_words(999ms), "999 ms");
    EXPECT_EQ(to_words(1000ms), "1.0 s");
    EXPECT_EQ(to_words(12'399ms), "12.3 s");
    EXPECT_EQ(to_words(60s), "1 min 00 s");
    EXPECT_EQ(to_words(185s), "3 min 05 s");
    EXPECT_EQ(to_words(1h + 2min + 59s), "1 h 02 min");
    EXPECT_EQ(to_words(47h + 59min), "47 h 59 min");
    EXPECT_EQ(to_words(48h), "2 days");
    EXPECT_EQ(to_words(100 * 24h + 23h), "100 days");
}

} // namespace
} // namespace xentz::base
