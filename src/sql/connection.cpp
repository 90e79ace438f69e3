#include "sql/connection.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace xentz::sql {

namespace {

[[noreturn]] void fail(std::string_view what, std::string_view column)
{
    throw error(errc::other, "column " + std::string{column} + " of the database's answer " + std::string{what});
}

template <class T>
T parse(const std::string& text, std::string_view what, std::string_view column)
{
    T out{};
    const auto* end = text.data() + text.size();
    const auto [at, status] = std::from_chars(text.data(), end, out);
    if (status != std::errc{} || at != end) fail(what, column);
    return out;
}

// How many bytes the character at the front takes by RFC 3629, 0 where there is none.
std::size_t utf8_length(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
    // The second byte's limits shut out overlong forms, surrogates and what lies above U+10FFFF.
    const unsigned lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(1) < lowest || byte(1) > highest) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
    }
    return length;
}

// PostgreSQL stores no other text, and libpq would cut it at a NUL without a word; SQLite stores anything.
void require_storable(std::string_view text)
{
    while (!text.empty()) {
        const auto length = text.front() == '\0' ? 0 : utf8_length(text);
        if (length == 0) {
            throw error(errc::invalid_text, "a text for the database has a NUL byte or is not valid UTF-8");
        }
        text.remove_prefix(length);
    }
}

} // namespace

namespace detail {

std::int64_t to_integer(const value& cell, std::string_view column)
{
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return *number;
    if (const auto* text = std::get_if<std::string>(&cell)) {
        return parse<std::int64_t>(*text, "is not an integer", column);
    }
    fail(std::holds_alternative<std::monostate>(cell) ? "is null" : "is not an integer", column);
}

double to_real(const value& cell, std::string_view column)
{
    if (const auto* number = std::get_if<double>(&cell)) return *number;
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
    if (const auto* text = std::get_if<std::string>(&cell)) return parse<double>(*text, "is not a number", column);
    fail("is null", column);
}

bool to_truth(const value& cell, std::string_view column)
{
    // PostgreSQL writes the outcome of a comparison as a letter.
    if (const auto* text = std::get_if<std::string>(&cell); text && (*text == "t" || *text == "f")) {
        return *text == "t";
    }
    const auto number = to_integer(cell, column);
    if (number != 0 && number != 1) fail("is neither true nor false", column);
    return number == 1;
}

std::string to_text(const value& cell, std::string_view column)
{
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return std::to_string(*number);
    fail(std::holds_alternative<std::monostate>(cell) ? "is null" : "is not text", column);
}

void fail_range(std::string_view column) { fail("is out of range", column); }

void fail_range_of_argument() { throw error(errc::other, "an integer for the database is out of range"); }

} // namespace detail

std::size_t row_set::index_of(std::string_view column) const
{
    const auto at = std::ranges::find(columns, column);
    if (at == columns.end()) fail("is missing", column);
    return static_cast<std::size_t>(at - columns.begin());
}

row_set connection::run(std::string_view text, std::span<const value> arguments)
{
    if (failed_) throw error(errc::other, "an earlier statement of this database transaction failed");
    try {
        for (const auto& argument : arguments) {
            if (const auto* characters = std::get_if<std::string>(&argument)) require_storable(*characters);
        }
        return execute(text, arguments);
    } catch (...) {
        failed_ = true;
        throw;
    }
}

} // namespace xentz::sql
