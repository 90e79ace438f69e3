// When a job runs, in the machine's local time: a subset of systemd's calendar expressions (systemd.time(7)), so that
// every text that is taken here means the same to `systemd-analyze calendar`. docs/scheduling.md describes it:
//   HH:MM | [WEEKDAYS] [*-MONTHS-DAYS] HOURS:MM        for example "02:00", "Mon..Fri 08..18:30", "*-*-1,15 04:00"
// Threads: values and pure functions.
#pragma once

#include "base/fault.hpp"

#include <bitset>
#include <chrono>
#include <string>
#include <string_view>

namespace xentz::domain {

struct calendar {
    std::bitset<7> weekdays; // Monday first
    std::bitset<12> months;
    std::bitset<31> days; // of the month
    std::bitset<24> hours;
    int minute = 0; // the same in each hour
    bool operator==(const calendar&) const = default;

    bool any_date() const { return months.all() && days.all(); }
    // Whether it runs at some time of that day.
    bool includes(std::chrono::year_month_day day) const;
};

// invalid_value with the field's name and what is wrong.
base::result<calendar> parse_calendar(std::string_view field, std::string_view text);

// Every day at that minute of the day (0 to 1439).
calendar daily(int minute_of_day);

} // namespace xentz::domain
