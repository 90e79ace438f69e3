#include "restic/json_fields.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace xentz::restic {
namespace {

TEST(json_fields, are_read_and_forgotten_line_by_line)
{
    json_fields f{"a", "b", "c", "d"};
    ASSERT_TRUE(f.read(R"({"a":"text","b":7,"x":[1,{"c":2}],"c":0.5,"d":null})"));
    EXPECT_EQ(f.text("a"), "text");
    EXPECT_EQ(f.count("b"), 7U);
    EXPECT_EQ(f.number("b"), 7.0);
    EXPECT_EQ(f.number("c"), 0.5);
    EXPECT_EQ(f.text("b"), std::nullopt);
    EXPECT_EQ(f.count("a"), std::nullopt);
    EXPECT_TRUE(f.has("d"));
    EXPECT_EQ(f.text("x"), std::nullopt) << "nobody asked for it";
    ASSERT_TRUE(f.read(R"({"b":-1})"));
    EXPECT_FALSE(f.has("a"));
    EXPECT_EQ(f.count("b"), std::nullopt);
    EXPECT_EQ(f.number("b"), -1.0);
    ASSERT_FALSE(f.read("plain text"));
    EXPECT_FALSE(f.has("b"));
}

TEST(json_fields, of_an_inner_object_are_named_with_it)
{
    json_fields f{"error", "error.message", "message"};
    ASSERT_TRUE(f.read(R"({"error":{"message":"inner","deep":{"message":"deeper"}},"message":"outer"})"));
    EXPECT_EQ(f.text("error.message"), "inner");
    EXPECT_EQ(f.text("message"), "outer");
    EXPECT_TRUE(f.has("error"));
    ASSERT_TRUE(f.read(R"({"list":[{"message":"listed"}],"error":[{"message":"listed"}]})"));
    EXPECT_FALSE(f.has("message"));
    EXPECT_FALSE(f.has("error.message"));
    ASSERT_TRUE(f.read(R"({"error":{}})"));
    EXPECT_TRUE(f.has("error"));
    EXPECT_FALSE(f.has("error.message"));
}

TEST(json_fields, take_figures_of_any_size)
{
    json_fields f{"n"};
    ASSERT_TRUE(f.read(R"({"n":9223372036854775808})"));
    EXPECT_EQ(f.count("n"), 9223372036854775808U);
    ASSERT_TRUE(f.read(R"({"n":18446744073709551616})"));
    EXPECT_EQ(f.count("n"), std::nullopt);
    EXPECT_TRUE(f.number("n"));
    ASSERT_TRUE(f.read(R"({"n":1e999})") || true);
    EXPECT_FALSE(f.count("n"));
}

TEST(json_fields, come_behind_terminal_escapes)
{
    json_fields f{"a"};
    EXPECT_TRUE(f.read("\x1b[2K{\"a\":1}\r"));
    EXPECT_EQ(f.count("a"), 1U);
    EXPECT_TRUE(f.read(" \x1b[1A\x1b[2K {\"a\":2} "));
    EXPECT_EQ(f.count("a"), 2U);
    EXPECT_EQ(json_of("\x1b[2Ksignal interrupt received"), "");
    EXPECT_EQ(json_of("\x1b["), "");
}

TEST(json_fields, of_broken_json_are_none)
{
    json_fields f{"a"};
    for (const auto* line :
         {"", "{", R"({"a":1)", R"({"a":1}x)", R"([{"a":1}])", R"("a")", R"({"a":1,})", R"({a:1})"}) {
        EXPECT_FALSE(f.read(line)) << line;
        EXPECT_FALSE(f.has("a")) << line;
    }
}

TEST(json_fields, keep_a_bounded_part_of_a_long_text)
{
    json_fields f{"a", "b"};
    const std::string much(3'000'000, 'x');
    ASSERT_TRUE(f.read(R"({"a":")" + much + R"(","skipped":[")" + much + R"("],")" + much + R"(":1,"b":"end"})"));
    EXPECT_EQ(f.text("a")->size(), json_fields::longest_text);
    EXPECT_EQ(f.text("b"), "end");
}

TEST(json_fields, take_the_last_of_several_of_one_name)
{
    json_fields f{"a"};
    ASSERT_TRUE(f.read(R"({"a":"text","a":5})"));
    EXPECT_EQ(f.text("a"), std::nullopt);
    EXPECT_EQ(f.count("a"), 5U);
}

TEST(json_fields, survive_any_bytes)
{
    EXPECT_TRUE(rc::check("any bytes are read or refused", [] {
        json_fields f{"a", "a.b"};
        const auto inside = *rc::gen::container<std::string>(
            rc::gen::element('{', '}', '[', ']', '"', ':', ',', 'a', 'b', '1', '-', 'e', '\\', '\x1b', '\0', ' '));
        f.read("{" + inside);
        f.read("{" + inside + "}");
        f.read(inside);
        if (!f.has("a")) RC_ASSERT(!f.text("a") && !f.count("a") && !f.number("a"));
    }));
}

} // namespace
} // namespace xentz::restic
