#include "restic/text.hpp"

#include <algorithm>

namespace xentz::restic {
namespace {

constexpr std::size_t longest_kept = 4096;
constexpr std::size_t longest_read = 16 * longest_kept;

unsigned char byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

bool is_continuation(unsigned char c) { return (c & 0xC0U) == 0x80U; }

// The length of the UTF-8 character at `at`, 0 where there is none.
std::size_t character_length(std::string_view text, std::size_t at)
{
    const auto first = byte_at(text, at);
    if (first < 0x80U) return 1;
    const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
    if (first < 0xC2U || first > 0xF4U || at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(byte_at(text, at + i))) return 0;
    }
    const auto second = byte_at(text, at + 1);
    const bool overlong = (first == 0xE0U && second < 0xA0U) || (first == 0xF0U && second < 0x90U);
    const bool surrogate = first == 0xEDU && second > 0x9FU;
    const bool too_large = first == 0xF4U && second > 0x8FU;
    return overlong || surrogate || too_large ? 0 : length;
}

// The length of a terminal escape ("ESC [ 2 K") at `at`, 0 where there is none.
std::size_t escape_length(std::string_view text, std::size_t at)
{
    if (text[at] != '\x1b') return 0;
    if (at + 1 >= text.size() || text[at + 1] != '[') return 1;
    auto end = at + 2;
    while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
    return std::min(end + 1, text.size()) - at;
}

} // namespace

std::string printable(std::string_view line)
{
    std::string out;
    out.reserve(line.size());
    for (std::size_t at = 0; at < line.size();) {
        if (const auto escape = escape_length(line, at)) {
            at += escape;
            continue;
        }
        const auto length = character_length(line, at);
        if (length == 0) {
            out += '?';
            ++at;
            continue;
        }
        const auto first = byte_at(line, at);
        const bool control = first < 0x20U || first == 0x7FU;
        if (!control) out.append(line.substr(at, length));
        if (first == '\t') out += ' ';
        at += length;
    }
    return out;
}

std::string shortened(std::string_view text, std::size_t most)
{
    constexpr std::string_view rest = "...";
    if (text.size() <= most) return std::string{text};
    auto end = most > rest.size() ? most - rest.size() : 0;
    while (end > 0 && is_continuation(byte_at(text, end))) --end;
    return std::string{text.substr(0, end)} + std::string{rest};
}

std::string fit(std::string_view text, const cleaner& clean)
{
    // Redacted before it is cut to what is kept: half a secret would not be recognised.
    return shortened(clean(printable(text.substr(0, longest_read))), longest_kept);
}

std::string_view password_of(std::string_view address)
{
    constexpr std::string_view separator = "://";
    const auto scheme = address.find(separator);
    if (scheme == std::string_view::npos) return {};
    const auto rest = address.substr(scheme + separator.size());
    const auto at = rest.rfind('@');
    const auto colon = rest.find(':');
    if (at == std::string_view::npos || colon >= at) return {};
    return rest.substr(colon + 1, at - colon - 1);
}

} // namespace xentz::restic
