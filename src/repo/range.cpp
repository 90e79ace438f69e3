#include "repo/range.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace xentz::repo {
namespace {

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blanks = " \t";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Saturates: a number beyond 64 bits is beyond the end of every object.
std::optional<std::uint64_t> number(std::string_view digits)
{
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    if (digits.empty()) return std::nullopt;
    std::uint64_t out = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        out = out > (most - digit) / 10 ? most : out * 10 + digit;
    }
    return out;
}

bool is_bytes_unit(std::string_view unit)
{
    return std::ranges::equal(unit, std::string_view{"bytes"},
                              [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

} // namespace

byte_range parse_range(std::string_view header, std::uint64_t size)
{
    const byte_range whole{byte_range::how::whole, 0, size};
    const byte_range unsatisfiable{byte_range::how::unsatisfiable, 0, 0};
    const auto equals = header.find('=');
    if (size == 0 || equals == std::string_view::npos || !is_bytes_unit(trimmed(header.substr(0, equals))))
        return whole;
    const auto text = trimmed(header.substr(equals + 1));
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return whole;

    const auto last_text = text.substr(dash + 1);
    const auto last = number(last_text);
    if (!last && !last_text.empty()) return whole;
    if (dash == 0) { // "-n": the last n bytes
        if (!last) return whole;
        if (*last == 0) return unsatisfiable;
        const auto length = std::min(*last, size);
        return {byte_range::how::part, size - length, length};
    }
    const auto first = number(text.substr(0, dash));
    if (!first || (last && *last < *first)) return whole;
    if (*first >= size) return unsatisfiable;
    const auto end = last ? std::min(*last, size - 1) : size - 1;
    return {byte_range::how::part, *first, end - *first + 1};
}

} // namespace xentz::repo
