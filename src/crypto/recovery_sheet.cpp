#include "crypto/recovery_sheet.hpp"

#include <array>
#include <cctype>
#include <optional>

namespace xentz::crypto {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::size_t lines = 4;
constexpr std::size_t digits_in_line = 16;
constexpr std::size_t check_digits = 4;
constexpr std::size_t digits_in_block = 4;

std::string check_of(std::size_t number, std::string_view digits)
{
    const auto text = "recovery-sheet\n" + std::to_string(number) + "\n" + std::string{digits};
    return sha256_hex(text).substr(0, check_digits);
}

std::string in_blocks(std::string_view digits)
{
    std::string out;
    for (; !digits.empty(); digits.remove_prefix(digits_in_block))
        out.append(out.empty() ? "" : " ").append(digits.substr(0, digits_in_block));
    return out;
}

char as_digit(char c)
{
    if (c == 'O' || c == 'o') return '0';
    if (c == 'I' || c == 'l' || c == 'i' || c == 'L') return '1';
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

// What stands behind "N:", without blanks; nothing where the line is another one.
std::optional<std::string> digits_behind(std::size_t number, std::string_view line)
{
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return std::nullopt;
    line.remove_prefix(begin);
    const auto mark = std::to_string(number) + ":";
    if (!line.starts_with(mark)) return std::nullopt;
    std::string out;
    for (const char c : line.substr(mark.size()))
        if (c != ' ' && c != '\t' && c != '\r') out += as_digit(c);
    return out;
}

std::optional<std::string> find_line(std::size_t number, std::string_view text)
{
    while (!text.empty()) {
        const auto end = text.find('\n');
        if (auto found = digits_behind(number, text.substr(0, end))) return found;
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return std::nullopt;
}

std::unexpected<base::fault> wrong_line(std::size_t number, const std::string& how)
{
    return fail(fault_code::invalid_value, "line " + std::to_string(number) + " of the recovery sheet " + how,
                "Compare it with the paper, digit by digit");
}

} // namespace

std::string recovery_lines(std::string_view digits)
{
    std::string out;
    for (std::size_t n = 1; n <= lines; ++n) {
        const auto of_line = digits.substr((n - 1) * digits_in_line, digits_in_line);
        out += "    " + std::to_string(n) + ":  " + in_blocks(of_line) + "   " + check_of(n, of_line) + "\n";
    }
    return out;
}

std::string recovery_lines(const master_key& key) { return recovery_lines(key.text()); }

result<master_key> read_recovery_sheet(std::string_view text)
{
    const auto digits = read_recovery_digits(text);
    if (!digits) return std::unexpected(digits.error());
    return master_key::parse(*digits);
}

result<std::string> read_recovery_digits(std::string_view text)
{
    // Of the same form, so that it serves as the check of any such secret.
    if (const auto plain = master_key::parse(text)) return plain->text();
    std::string digits;
    for (std::size_t n = 1; n <= lines; ++n) {
        const auto found = find_line(n, text);
        if (!found) return wrong_line(n, "is missing");
        if (found->size() != digits_in_line + check_digits)
            return wrong_line(n, "has " + std::to_string(found->size()) + " digits instead of 20");
        const auto of_key = found->substr(0, digits_in_line);
        if (check_of(n, of_key) != found->substr(digits_in_line)) return wrong_line(n, "has a wrong digit");
        digits += of_key;
    }
    const auto whole = master_key::parse(digits);
    if (!whole) return std::unexpected(whole.error());
    return digits;
}

} // namespace xentz::crypto
