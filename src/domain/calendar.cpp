#include "domain/calendar.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace xentz::domain {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr auto weekday_names = std::to_array<std::string_view>({"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"});

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    while (true) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

// One or two digits.
std::optional<int> small_number(std::string_view text)
{
    if (text.empty() || text.size() > 2) return std::nullopt;
    int value = 0;
    for (const auto c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

std::optional<int> weekday(std::string_view text)
{
    const auto* const at = std::ranges::find(weekday_names, text);
    if (at == weekday_names.end()) return std::nullopt;
    return static_cast<int>(at - weekday_names.begin());
}

// "*", or values and ranges "A..B" between commas. `first` is the value of the first bit.
template <std::size_t size, class Read>
bool read_set(std::string_view text, int first, Read read, std::bitset<size>& out)
{
    if (text == "*") {
        out.set();
        return true;
    }
    for (const auto part : split(text, ',')) {
        const auto dots = part.find("..");
        const auto low = read(part.substr(0, dots));
        const auto high = dots == std::string_view::npos ? low : read(part.substr(dots + 2));
        if (!low || !high || *low < first || *high < *low || *high >= first + static_cast<int>(size)) return false;
        for (auto i = *low; i <= *high; ++i) out.set(static_cast<std::size_t>(i - first));
    }
    return true;
}

bool read_date(std::string_view text, calendar& c)
{
    const auto parts = split(text, '-');
    return parts.size() == 3 && parts[0] == "*" && read_set(parts[1], 1, small_number, c.months) &&
           read_set(parts[2], 1, small_number, c.days);
}

std::optional<int> two_digits(std::string_view text) { return text.size() == 2 ? small_number(text) : std::nullopt; }

bool read_time(std::string_view text, calendar& c)
{
    const auto parts = split(text, ':');
    if (parts.size() != 2) return false;
    const auto minute = two_digits(parts[1]);
    if (!minute || *minute > 59) return false;
    c.minute = *minute;
    return read_set(parts[0], 0, two_digits, c.hours);
}

bool has_a_day(const calendar& c)
{
    constexpr std::array<std::size_t, 12> longest{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (std::size_t month = 0; month < 12; ++month)
        for (std::size_t day = 0; c.months[month] && day < longest.at(month); ++day)
            if (c.days[day]) return true;
    return false;
}

} // namespace

bool calendar::includes(std::chrono::year_month_day day) const
{
    const auto of_week = std::chrono::weekday{std::chrono::sys_days{day}}.iso_encoding() - 1;
    return weekdays[of_week] && months[static_cast<unsigned>(day.month()) - 1] &&
           days[static_cast<unsigned>(day.day()) - 1];
}

result<calendar> parse_calendar(std::string_view field, std::string_view text)
{
    const auto wrong = [&] {
        return fail(fault_code::invalid_value,
                    std::string{field} + " must be HH:MM or a calendar expression such as \"Sun 04:00\", not \"" +
                        std::string{text} + "\"",
                    "docs/scheduling.md says which expressions there are");
    };
    auto parts = split(text, ' ');
    if (parts.size() > 3) return wrong();
    calendar c;
    if (!read_time(parts.back(), c)) return wrong();
    parts.pop_back();
    c.weekdays.set();
    c.months.set();
    c.days.set();
    if (!parts.empty() && parts.back().starts_with('*')) {
        c.months.reset();
        c.days.reset();
        if (!read_date(parts.back(), c) || !has_a_day(c)) return wrong();
        parts.pop_back();
    }
    if (!parts.empty()) {
        c.weekdays.reset();
        if (parts.back() == "*" || !read_set(parts.back(), 0, weekday, c.weekdays)) return wrong();
        parts.pop_back();
    }
    if (!parts.empty()) return wrong();
    return c;
}

calendar daily(int minute_of_day)
{
    calendar c;
    c.weekdays.set();
    c.months.set();
    c.days.set();
    c.hours.set(static_cast<std::size_t>(minute_of_day / 60));
    c.minute = minute_of_day % 60;
    return c;
}

} // namespace xentz::domain
