// How cells become C++ values, without a database.
#include "sql/connection.hpp"

#include <boost/describe/class.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

namespace xentz::sql {
namespace {

struct pair_row {
    std::string name;
    std::optional<std::int64_t> amount;
};
BOOST_DESCRIBE_STRUCT(pair_row, (), (name, amount))

template <class T>
T read(const value& cell)
{
    return from_value<T>(cell, "c");
}

TEST(conversion, an_integer_comes_as_number_or_as_text)
{
    EXPECT_EQ(read<std::int64_t>(std::int64_t{7}), 7);
    EXPECT_EQ(read<std::int64_t>(std::string{"-9223372036854775808"}), std::numeric_limits<std::int64_t>::min());
    for (const auto* text : {"", "7x", "x", " 7", "9223372036854775808", "1.5"}) {
        EXPECT_THROW(read<std::int64_t>(std::string{text}), error) << text;
    }
    EXPECT_THROW(read<std::int64_t>(1.5), error);
}

TEST(conversion, narrowing_is_an_error)
{
    EXPECT_THROW(read<std::int32_t>(std::int64_t{1} << 31), error);
    EXPECT_THROW(read<std::uint64_t>(std::int64_t{-1}), error);
    EXPECT_EQ(read<std::uint8_t>(std::int64_t{255}), 255);
    EXPECT_THROW(to_value(std::numeric_limits<std::uint64_t>::max()), error);
}

TEST(conversion, truth_is_nought_or_one)
{
    EXPECT_TRUE(read<bool>(std::int64_t{1}));
    EXPECT_FALSE(read<bool>(std::string{"0"}));
    EXPECT_TRUE(read<bool>(std::string{"t"}));
    EXPECT_THROW(read<bool>(std::int64_t{2}), error);
    EXPECT_THROW(read<bool>(std::string{"true"}), error);
    EXPECT_EQ(to_value(true), value{std::int64_t{1}});
}

TEST(conversion, null_needs_an_optional)
{
    EXPECT_EQ(read<std::optional<bool>>({}), std::nullopt);
    EXPECT_EQ(to_value(std::optional<base::time_point>{}), value{});
    EXPECT_THROW(read<std::string>({}), error);
    EXPECT_THROW(read<bool>({}), error);
    EXPECT_THROW(read<double>({}), error);
    EXPECT_THROW(read<base::time_point>({}), error);
}

TEST(conversion, a_row_is_read_by_the_names_of_its_columns)
{
    const row_set rows{{"extra", "amount", "name"}, {{std::int64_t{1}, value{}, std::string{"x"}}}};
    const auto out = rows.as<pair_row>();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0].name, "x");
    EXPECT_EQ(out[0].amount, std::nullopt);
    EXPECT_THROW((row_set{{"name"}, {}}.as<pair_row>()), error);
    EXPECT_EQ(column_list<pair_row>(), "name, amount");
}

TEST(conversion, instants_and_numbers_come_back_as_they_went)
{
    rc::check("integer", [](std::int64_t n) {
        RC_ASSERT(read<std::int64_t>(to_value(n)) == n);
        RC_ASSERT(read<std::int64_t>(std::to_string(n)) == n);
        const base::time_point at{std::chrono::microseconds{n}};
        RC_ASSERT(read<base::time_point>(to_value(at)) == at);
    });
}

} // namespace
} // namespace xentz::sql
