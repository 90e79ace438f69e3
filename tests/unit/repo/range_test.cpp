#include "repo/range.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace xentz::repo {

// For the messages of a failing test.
void PrintTo(const byte_range& r, std::ostream* out)
{
    *out << (r.kind == byte_range::how::whole  ? "whole"
             : r.kind == byte_range::how::part ? "part"
                                               : "unsatisfiable")
         << " " << r.first << "+" << r.length;
}

namespace {

using enum byte_range::how;

TEST(range, takes_the_three_forms)
{
    EXPECT_EQ(parse_range("bytes=0-9", 100), (byte_range{part, 0, 10}));
    EXPECT_EQ(parse_range("bytes=5-5", 100), (byte_range{part, 5, 1}));
    EXPECT_EQ(parse_range("bytes=90-", 100), (byte_range{part, 90, 10}));
    EXPECT_EQ(parse_range("bytes=-7", 100), (byte_range{part, 93, 7}));
    EXPECT_EQ(parse_range("bytes=0-", 100), (byte_range{part, 0, 100}));
}

TEST(range, ends_with_the_object)
{
    EXPECT_EQ(parse_range("bytes=90-200", 100), (byte_range{part, 90, 10}));
    EXPECT_EQ(parse_range("bytes=-200", 100), (byte_range{part, 0, 100}));
    EXPECT_EQ(parse_range("bytes=99-18446744073709551615", 100), (byte_range{part, 99, 1}));
    EXPECT_EQ(parse_range("bytes=0-99999999999999999999999999", 100), (byte_range{part, 0, 100}));
    EXPECT_EQ(parse_range("bytes=-99999999999999999999999999", 100), (byte_range{part, 0, 100}));
}

TEST(range, cannot_be_satisfied_beyond_the_end)
{
    EXPECT_EQ(parse_range("bytes=100-", 100), (byte_range{unsatisfiable, 0, 0}));
    EXPECT_EQ(parse_range("bytes=100-200", 100), (byte_range{unsatisfiable, 0, 0}));
    EXPECT_EQ(parse_range("bytes=-0", 100), (byte_range{unsatisfiable, 0, 0}));
    EXPECT_EQ(parse_range("bytes=99999999999999999999999999-", 100), (byte_range{unsatisfiable, 0, 0}));
}

TEST(range, is_ignored_where_it_is_none_of_ours)
{
    for (const auto* header : {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=a-b", "bytes=1-x", "bytes=x-1",
                               "bytes=9-5", "bytes=0-1,5-6", "bytes=0-1,", "bytes=1--2", "bytes=--2", "bytes=+1-2",
                               "bytes=0x1-2", "lines=0-1", "=0-1", "bytes 0-1", "bytes=0 -1"})
        EXPECT_EQ(parse_range(header, 100), (byte_range{whole, 0, 100})) << header;
}

TEST(range, has_a_unit_without_case_and_blanks_around)
{
    EXPECT_EQ(parse_range("Bytes= 1-2 ", 100), (byte_range{part, 1, 2}));
}

TEST(range, of_an_empty_object_is_ignored)
{
    for (const auto* header : {"bytes=0-", "bytes=-5", "bytes=5-9", "bytes=-0"})
        EXPECT_EQ(parse_range(header, 0), (byte_range{whole, 0, 0})) << header;
}

// Position by position, as RFC 9110 words it.
byte_range naive(std::optional<unsigned> first, std::optional<unsigned> last, unsigned size)
{
    if (size == 0 || (!first && !last) || (first && last && *last < *first)) return {whole, 0, size};
    std::vector<unsigned> chosen;
    for (unsigned i = 0; i < size; ++i) {
        const bool inside = first ? i >= *first && (!last || i <= *last) : size - i <= *last;
        if (inside) chosen.push_back(i);
    }
    if (chosen.empty()) return {unsatisfiable, 0, 0};
    return {part, chosen.front(), chosen.size()};
}

RC_GTEST_PROP(range, agrees_with_a_naive_model, ())
{
    const auto size = *rc::gen::inRange(0U, 40U);
    const auto number = rc::gen::maybe(rc::gen::inRange(0U, 50U));
    const auto first_drawn = *number;
    const auto last_drawn = *number;
    const auto first = first_drawn ? std::optional{*first_drawn} : std::nullopt;
    const auto last = last_drawn ? std::optional{*last_drawn} : std::nullopt;
    const auto header = "bytes=" + (first ? std::to_string(*first) : "") + "-" + (last ? std::to_string(*last) : "");
    RC_ASSERT(parse_range(header, size) == naive(first, last, size));
}

RC_GTEST_PROP(range, never_reaches_outside, (const std::string& tail, std::uint64_t size))
{
    for (const auto& header : {tail, "bytes=" + tail}) {
        const auto r = parse_range(header, size);
        RC_ASSERT(r.first <= size);
        RC_ASSERT(r.length <= size - r.first);
        RC_ASSERT((r.kind == whole) <= (r.first == 0 && r.length == size));
        RC_ASSERT((r.kind == part) <= (r.length > 0));
    }
}

} // namespace
} // namespace xentz::repo
