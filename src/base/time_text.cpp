#include "base/time_text.hpp"

#include <array>
#include <cstdio>

namespace xentz::base {
namespace {

using namespace std::chrono;

struct parts {
    int year;
    unsigned month, day;
    int hour, minute, second, micro;
};

parts split(time_point t)
{
    const auto date = floor<days>(t);
    const year_month_day ymd{date};
    const hh_mm_ss time{t - date};
    return {static_cast<int>(ymd.year()),
            static_cast<unsigned>(ymd.month()),
            static_cast<unsigned>(ymd.day()),
            static_cast<int>(time.hours().count()),
            static_cast<int>(time.minutes().count()),
            static_cast<int>(time.seconds().count()),
            static_cast<int>(time.subseconds().count())};
}

template <class... Args>
std::string print(const char* format, Args... args)
{
    std::array<char, 96> text{};
    // The formats are the literals of this file.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const int n = std::snprintf(text.data(), text.size(), format, args...);
#pragma GCC diagnostic pop
    return {text.data(), static_cast<std::size_t>(n)};
}

class reader {
public:
    explicit reader(std::string_view text) : text_(text) {}

    bool skip(char c)
    {
        if (text_.empty() || text_.front() != c) return false;
        text_.remove_prefix(1);
        return true;
    }
    std::optional<int> number(std::size_t digits)
    {
        if (text_.size() < digits) return std::nullopt;
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            const char c = text_[i];
            if (c < '0' || c > '9') return std::nullopt;
            value = value * 10 + (c - '0');
        }
        text_.remove_prefix(digits);
        return value;
    }
    // 1 to 9 digits after the point, as microseconds.
    std::optional<int> fraction()
    {
        int value = 0;
        int digits = 0;
        while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
            if (digits < 6) value = value * 10 + (text_.front() - '0');
            ++digits;
            text_.remove_prefix(1);
        }
        if (digits == 0 || digits > 9) return std::nullopt;
        for (; digits < 6; ++digits) value *= 10;
        return value;
    }
    bool at_end() const { return text_.empty(); }

private:
    std::string_view text_;
};

std::optional<minutes> read_offset(reader& in)
{
    if (in.skip('Z') || in.skip('z')) return minutes{0};
    int sign = 0;
    if (in.skip('+'))
        sign = 1;
    else if (in.skip('-'))
        sign = -1;
    else
        return std::nullopt;
    const auto hour = in.number(2);
    if (!hour || !in.skip(':')) return std::nullopt;
    const auto minute = in.number(2);
    if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
    return minutes{sign * (*hour * 60 + *minute)};
}

std::optional<sys_days> read_date(reader& in)
{
    const auto y = in.number(4);
    if (!y || !in.skip('-')) return std::nullopt;
    const auto m = in.number(2);
    if (!m || !in.skip('-')) return std::nullopt;
    const auto d = in.number(2);
    if (!d || *y < 1970) return std::nullopt;
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return std::nullopt;
    return sys_days{date};
}

} // namespace

std::string to_rfc3339(time_point t)
{
    const auto p = split(t);
    if (p.micro == 0)
        return print("%04d-%02u-%02uT%02d:%02d:%02dZ", p.year, p.month, p.day, p.hour, p.minute, p.second);
    return print("%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", p.year, p.month, p.day, p.hour, p.minute, p.second, p.micro);
}

std::optional<time_point> parse_rfc3339(std::string_view text)
{
    reader in{text};
    const auto date = read_date(in);
    if (!date || !(in.skip('T') || in.skip('t') || in.skip(' '))) return std::nullopt;
    const auto h = in.number(2);
    if (!h || !in.skip(':')) return std::nullopt;
    const auto m = in.number(2);
    if (!m || !in.skip(':')) return std::nullopt;
    const auto s = in.number(2);
    // A leap second (60) is taken as the last one of its minute plus one.
    if (!s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
    int micro = 0;
    if (in.skip('.')) {
        const auto f = in.fraction();
        if (!f) return std::nullopt;
        micro = *f;
    }
    const auto offset = read_offset(in);
    if (!offset || !in.at_end()) return std::nullopt;
    const auto t = time_point{*date} + hours{*h} + minutes{*m} + seconds{*s} + microseconds{micro} - *offset;
    // The offset, or a leap second, may lead out of the years that can be printed again.
    if (t < time_point{} || t >= time_point{sys_days{year{10000} / January / 1}}) return std::nullopt;
    return t;
}

std::string to_file_stamp(time_point t)
{
    const auto p = split(t);
    return print("%04d%02u%02uT%02d%02d%02d.%06dZ", p.year, p.month, p.day, p.hour, p.minute, p.second, p.micro);
}

std::string to_words(milliseconds duration)
{
    const auto ms = duration.count();
    if (ms < 1000) return print("%d ms", static_cast<int>(ms));
    const auto s = static_cast<int>(ms / 1000);
    if (s < 60) return print("%d.%d s", s, static_cast<int>(ms % 1000 / 100));
    if (s < 3600) return print("%d min %02d s", s / 60, s % 60);
    if (s < 48 * 3600) return print("%d h %02d min", s / 3600, s % 3600 / 60);
    return print("%d days", s / 86400);
}

} // namespace xentz::base
