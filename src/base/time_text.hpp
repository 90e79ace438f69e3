// Instants as text: RFC 3339 in UTC ("2026-11-23T18:31:05.123456Z", fraction omitted where it is zero).
#pragma once

#include "base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace xentz::base {

std::string to_rfc3339(time_point t);

// Accepts any RFC 3339 offset and 0 to 9 fraction digits (cut to microseconds); nothing else.
// Years 1970 to 9999.
std::optional<time_point> parse_rfc3339(std::string_view text);

// "20261123T183105.123456Z": sorts by time, safe in file names.
std::string to_file_stamp(time_point t);

// "1 h 02 min", "3 min 05 s", "420 ms": for people.
std::string to_words(std::chrono::milliseconds duration);

} // namespace xentz::base
