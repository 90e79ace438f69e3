#include "base/utf8.hpp"
#include "recovery/row_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace xentz::recovery {
namespace {

using base::fault_code;

std::string without_end(std::string text)
{
    EXPECT_TRUE(text.ends_with('\n'));
    text.pop_back();
    return text;
}

store::row back(const store::row& r)
{
    const auto text = without_end(*row_line(r));
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return std::get<store::row>(*read_line(text));
}

TEST(a_row, is_an_array_in_one_line)
{
    EXPECT_EQ(*row_line({std::string{"ten_1"}, sql::value{}, std::int64_t{-5}, std::string{"a\n\"b\" \u00e9"}}),
              "[\"ten_1\",null,-5,\"a\\n\\\"b\\\" \u00e9\"]\n");
}

TEST(a_row, comes_back_as_it_was)
{
    const store::row odd{std::numeric_limits<std::int64_t>::max(),
                         std::numeric_limits<std::int64_t>::min(),
                         std::int64_t{0},
                         sql::value{},
                         std::string{},
                         std::string{"null"},
                         std::string{"17"},
                         std::string{"\x01\x1f\x7f\\/\u2028 \U0001F4BE"},
                         std::string(300'000, 'x')};
    EXPECT_EQ(back(odd), odd);
    EXPECT_EQ(back({}), store::row{});
}

TEST(a_row, of_no_utf8_is_refused_rather_than_altered)
{
    for (const auto* text : {"\xff", "a\xc3", "\xed\xa0\x80"})
        EXPECT_EQ(row_line({std::string{text}}).error().code, fault_code::invalid_value) << text;
}

TEST(a_heading, names_table_and_columns)
{
    const store::table t{"tenant", {{"id", false}, {"created_at", true}}, {"id"}};
    EXPECT_EQ(heading_line(t), "{\"table\":\"tenant\",\"columns\":[\"id\",\"created_at\"]}\n");
    const auto read = std::get<store::row_group>(*read_line(without_end(heading_line(t))));
    EXPECT_EQ(read.table, "tenant");
    EXPECT_EQ(read.columns, (std::vector<std::string>{"id", "created_at"}));
}

TEST(a_line, that_is_neither_is_refused)
{
    for (const auto* text : {"", "7", "\"x\"", "[", "[1]]", "[[1]]", "[{}]", "[true]", "[18446744073709551615]", "{}",
                             "{\"table\":7,\"columns\":[]}", "{\"table\":\"t\"}", "null"})
        EXPECT_EQ(read_line(text).error().code, fault_code::invalid_value) << text;
}

RC_GTEST_PROP(a_row, of_any_numbers_and_texts_comes_back, (const std::vector<std::pair<std::int64_t, bool>>& cells))
{
    store::row r;
    for (const auto& [number, is_number] : cells) {
        if (is_number)
            r.emplace_back(number);
        else
            r.emplace_back(base::to_utf8(*rc::gen::arbitrary<std::string>()));
    }
    RC_ASSERT(back(r) == r);
}

RC_GTEST_PROP(a_line, of_any_bytes_is_read_or_refused, (const std::string& text))
{
    const auto read = read_line(text);
    if (!read) RC_ASSERT(read.error().code == fault_code::invalid_value);
}

} // namespace
} // namespace xentz::recovery
