// When a scheduled run had better wait: on battery, on a connection that is paid for by its use, outside a window of
// the day; each up to a deadline, after which it runs anyway.
//
// Threads: pure functions.
#pragma once

#include "base/fault.hpp"

#include <boost/describe/class.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace xentz::domain {

struct patience {
    static constexpr bool missing_keys_keep_defaults = true;
    std::uint32_t deadline_hours = 24; // 1 to 720, after the time of the schedule
    bool operator==(const patience&) const = default;
};
BOOST_DESCRIBE_STRUCT(patience, (), (deadline_hours))

// Local time. `to` is not in it; a window whose end is before its beginning goes over midnight.
struct window : patience {
    static constexpr bool missing_keys_keep_defaults = true;
    std::string from; // HH:MM
    std::string to;
    bool operator==(const window&) const = default;
};
BOOST_DESCRIBE_STRUCT(window, (patience), (from, to))

struct conditions {
    static constexpr bool missing_keys_keep_defaults = true;
    std::optional<patience> not_on_battery;
    std::optional<patience> not_on_metered;
    std::optional<window> only_within; // at least two hours long: who is asked is asked once an hour
    bool operator==(const conditions&) const = default;
};
BOOST_DESCRIBE_STRUCT(conditions, (), (not_on_battery, not_on_metered, only_within))

base::result<> validate(const conditions& c);

// What is known of the machine at that moment. What is not known is no reason to wait.
struct moment {
    std::chrono::minutes time_of_day{0}; // local, since midnight
    std::chrono::seconds waited{0};      // since the time of the schedule
    bool on_battery = false;
    bool on_metered = false;
};

struct hindrance {
    std::string why;                // "this machine runs on battery"
    std::chrono::hours deadline{0}; // after the time of the schedule
    bool operator==(const hindrance&) const = default;
};

// The first condition that does not hold and whose deadline has not come.
std::optional<hindrance> find_hindrance(const conditions& c, const moment& now);

} // namespace xentz::domain
