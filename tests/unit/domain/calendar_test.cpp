#include "domain/calendar.hpp"

#include <gtest/gtest.h>

namespace xentz::domain {
namespace {

calendar parsed(std::string_view text)
{
    auto c = parse_calendar("daily_at", text);
    if (!c) {
        ADD_FAILURE() << c.error().message;
        return daily(0);
    }
    return *c;
}

bool on(std::string_view text, int year, unsigned month, unsigned day)
{
    return parsed(text).includes(std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day});
}

TEST(Calendar, ATimeOfDayMeansEveryDay)
{
    EXPECT_EQ(parsed("02:30"), daily(150));
    EXPECT_TRUE(on("02:30", 2026, 11, 24));
    EXPECT_TRUE(parsed("00:00").hours[0]);
    EXPECT_EQ(parsed("23:59").minute, 59);
}

TEST(Calendar, KnowsWeekdaysAndRangesOfThem)
{
    EXPECT_TRUE(on("Sun 04:00", 2026, 11, 22));
    EXPECT_FALSE(on("Sun 04:00", 2026, 11, 23));
    EXPECT_TRUE(on("Mon..Fri 04:00", 2026, 11, 27));
    EXPECT_FALSE(on("Mon..Fri 04:00", 2026, 11, 28));
    EXPECT_TRUE(on("Mon,Sat..Sun 04:00", 2026, 11, 28));
    EXPECT_FALSE(on("Mon,Sat..Sun 04:00", 2026, 11, 24));
}

TEST(Calendar, KnowsDaysOfTheMonthAndMonths)
{
    EXPECT_TRUE(on("*-*-1,15 04:00", 2026, 11, 15));
    EXPECT_FALSE(on("*-*-1,15 04:00", 2026, 11, 16));
    EXPECT_TRUE(on("*-01,07-01 04:00", 2026, 7, 1));
    EXPECT_FALSE(on("*-01,07-01 04:00", 2026, 8, 1));
    EXPECT_TRUE(on("Sun *-*-01..07 04:00", 2026, 12, 6)) << "the first Sunday";
    EXPECT_FALSE(on("Sun *-*-01..07 04:00", 2026, 12, 13));
}

TEST(Calendar, KnowsHours)
{
    EXPECT_EQ(parsed("*:15").hours.count(), 24U);
    EXPECT_EQ(parsed("08..18:30").hours.count(), 11U);
    EXPECT_TRUE(parsed("06,18:30").hours[18]);
    EXPECT_FALSE(parsed("06,18:30").hours[7]);
}

TEST(Calendar, RefusesWhatItDoesNotKnowAndNamesTheField)
{
    for (const auto* text : {"",
                             " ",
                             "02",
                             "2:00",
                             "24:00",
                             "02:60",
                             "02:5",
                             "02:000",
                             "-1:00",
                             "02:00:00",
                             "02.00",
                             "Sun",
                             "sun 02:00",
                             "Sunday 02:00",
                             "Sun..Mon 02:00",
                             "Sun, 02:00",
                             "Sun  02:00",
                             " 02:00",
                             "02:00 ",
                             "* 02:00",
                             "*-*-32 02:00",
                             "*-13-01 02:00",
                             "*-00-01 02:00",
                             "*-*-0 02:00",
                             "*-02-30 02:00",
                             "2026-*-* 02:00",
                             "*-* 02:00",
                             "*-*-01 Sun 02:00",
                             "Sun Mon 02:00",
                             "Sun *-*-01 02:00 UTC",
                             "22..04:00",
                             "*/2:00",
                             "daily",
                             "1,,2:00",
                             "02:00\n",
                             "*-*-1.3 02:00"}) {
        const auto c = parse_calendar("schedule.check_at", text);
        ASSERT_FALSE(c) << text;
        EXPECT_EQ(c.error().code, base::fault_code::invalid_value);
        EXPECT_TRUE(c.error().message.starts_with("schedule.check_at must be HH:MM or a calendar expression")) << text;
        EXPECT_FALSE(c.error().remedy.empty());
    }
}

} // namespace
} // namespace xentz::domain
