#include "base/utf8.hpp"

#include <algorithm>

namespace xentz::base {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The length of the character that the text begins with, 0 where it begins with none.
std::size_t first_length(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = byte(0);
    if (first < 0x80U) return 1;
    if (first < 0xC2U || first > 0xF4U) return 0;
    const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
    if (text.size() < length || !std::ranges::all_of(text.substr(1, length - 1), is_continuation)) return 0;
    const bool overlong = (first == 0xE0U && byte(1) < 0xA0U) || (first == 0xF0U && byte(1) < 0x90U);
    const bool surrogate = first == 0xEDU && byte(1) > 0x9FU;
    const bool too_large = first == 0xF4U && byte(1) > 0x8FU;
    return overlong || surrogate || too_large ? 0 : length;
}

} // namespace

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        const auto length = first_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string to_utf8(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto length = first_length(text);
        if (length == 0)
            out += '?';
        else
            out += text.substr(0, length);
        text.remove_prefix(std::max(length, std::size_t{1}));
    }
    return out;
}

std::string_view cut_utf8(std::string_view text, std::size_t most)
{
    if (text.size() <= most) return text;
    while (most > 0 && is_continuation(text[most])) --most;
    return text.substr(0, most);
}

} // namespace xentz::base
