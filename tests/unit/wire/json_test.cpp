#include "domain/ids.hpp"
#include "wire/json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace xentz::wire {
namespace {

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

struct inner {
    std::string text;
    std::uint32_t count = 0;
};
BOOST_DESCRIBE_STRUCT(inner, (), (text, count))

struct forgiving {
    static constexpr bool missing_keys_keep_defaults = true;
    std::string name = "kept";
    std::vector<std::string> list = {"kept"};
    std::optional<std::string> maybe;
};
BOOST_DESCRIBE_STRUCT(forgiving, (), (name, list, maybe))

struct outer {
    std::string text;
    bool flag = false;
    std::int64_t number = 0;
    std::optional<std::string> maybe;
    base::time_point at;
    domain::device_id id;
    colour paint = colour::red;
    std::vector<inner> items;
};
BOOST_DESCRIBE_STRUCT(outer, (), (text, flag, number, maybe, at, id, paint, items))

const std::string whole = R"({"text":"t","flag":true,"number":-5,"maybe":"m","at":"2026-11-23T18:31:05Z",)"
                          R"("id":"dev_1","paint":"green","items":[{"text":"a","count":1},{"text":"b","count":2}]})";

// `whole` with another value for one key.
std::string with(const std::string& key, const std::string& value)
{
    auto v = *parse_json(whole);
    v.as_object()[key] = *parse_json(value);
    return print_json(v);
}

template <class T = outer>
std::string fault_of(const std::string& text)
{
    const auto r = decode<T>(text);
    if (r) return "accepted";
    EXPECT_EQ(r.error().code, base::fault_code::invalid_value);
    return r.error().message;
}

TEST(json, every_kind_of_member_is_read_and_written)
{
    const auto o = decode<outer>(whole);
    ASSERT_TRUE(o) << o.error().message;
    EXPECT_EQ(o->text, "t");
    EXPECT_TRUE(o->flag);
    EXPECT_EQ(o->number, -5);
    EXPECT_EQ(o->maybe, "m");
    EXPECT_EQ(base::to_rfc3339(o->at), "2026-11-23T18:31:05Z");
    EXPECT_EQ(o->id.text, "dev_1");
    EXPECT_EQ(o->paint, colour::green);
    ASSERT_EQ(o->items.size(), 2U);
    EXPECT_EQ(o->items[1].count, 2U);
    EXPECT_EQ(encode(*o), whole);
}

TEST(json, unknown_keys_are_ignored_at_any_depth)
{
    EXPECT_EQ(fault_of(with("later", R"({"a":[1,{"b":null}]})")), "accepted");
    EXPECT_EQ(fault_of(with("items", R"([{"text":"a","count":1,"later":true}])")), "accepted");
}

TEST(json, a_missing_member_is_named)
{
    auto v = *parse_json(whole);
    v.as_object().erase("flag");
    EXPECT_EQ(fault_of(print_json(v)), "flag: missing");
    EXPECT_EQ(fault_of(with("items", R"([{"text":"a","count":1},{"text":"b"}])")), "items[1].count: missing");
}

TEST(json, an_optional_may_be_absent_or_null_and_is_then_not_written)
{
    auto v = *parse_json(whole);
    v.as_object().erase("maybe");
    EXPECT_EQ(decode<outer>(print_json(v))->maybe, std::nullopt);
    const auto null = decode<outer>(with("maybe", "null"));
    ASSERT_TRUE(null);
    EXPECT_EQ(null->maybe, std::nullopt);
    EXPECT_EQ(encode(*null).find("maybe"), std::string::npos);
    EXPECT_EQ(fault_of(with("text", "null")), "text: expected a string, got null");
}

TEST(json, defaults_are_kept_where_the_struct_says_so)
{
    for (const auto* text : {"{}", R"({"name":null,"list":null,"maybe":null})"}) {
        const auto f = decode<forgiving>(text);
        ASSERT_TRUE(f) << f.error().message;
        EXPECT_EQ(f->name, "kept");
        EXPECT_EQ(f->list, std::vector<std::string>{"kept"});
    }
    const auto f = decode<forgiving>(R"({"name":"","list":[],"maybe":"x"})");
    EXPECT_EQ(f->name, "");
    EXPECT_TRUE(f->list.empty());
    EXPECT_EQ(f->maybe, "x");
    EXPECT_EQ(fault_of<forgiving>(R"({"list":"a"})"), "list: expected an array, got a string");
}

TEST(json, a_wrong_type_is_told_with_its_place)
{
    EXPECT_EQ(fault_of(with("text", "1")), "text: expected a string, got a number");
    EXPECT_EQ(fault_of(with("flag", "1")), "flag: expected true or false, got a number");
    EXPECT_EQ(fault_of(with("number", R"("1")")), "number: expected a number, got a string");
    EXPECT_EQ(fault_of(with("maybe", "[]")), "maybe: expected a string, got an array");
    EXPECT_EQ(fault_of(with("id", "{}")), "id: expected a string, got an object");
    EXPECT_EQ(fault_of(with("at", "false")), "at: expected a string, got true or false");
    EXPECT_EQ(fault_of(with("at", R"("yesterday")")), "at: expected a time such as 2026-11-23T18:31:05Z");
    EXPECT_EQ(fault_of(with("paint", R"("blue")")), "paint: unknown value \"blue\"");
    EXPECT_EQ(fault_of(with("paint", R"("b: lue")")), "paint: unknown value \"b: lue\"");
    EXPECT_EQ(fault_of(with("items", "{}")), "items: expected an array, got an object");
    EXPECT_EQ(fault_of(with("items", "[1]")), "items[0]: expected an object, got a number");
    EXPECT_EQ(fault_of(with("items", R"([{"text":1,"count":1}])")), "items[0].text: expected a string, got a number");
    EXPECT_EQ(fault_of("[]"), "expected an object, got an array");
    EXPECT_EQ(fault_of<std::vector<int>>("[1,2,\"3\"]"), "[2]: expected a number, got a string");
}

TEST(json, an_enumerator_is_its_whole_name)
{
    EXPECT_EQ(fault_of(with("paint", R"("red\u0000")")).substr(0, 20), "paint: unknown value");
    EXPECT_NE(fault_of(with("paint", R"("Red")")), "accepted");
    EXPECT_NE(fault_of(with("paint", R"("")")), "accepted");
    EXPECT_NE(fault_of(with("paint", "0")), "accepted");
}

TEST(json, numbers_must_fit)
{
    const auto count = [](const std::string& n) { return fault_of<inner>(R"({"text":"","count":)" + n + "}"); };
    EXPECT_EQ(count("4294967295"), "accepted");
    for (const auto* n : {"4294967296", "-1", "1.5", "1e40", "18446744073709551616"})
        EXPECT_EQ(count(n), "count: the number is out of range or not whole") << n;
    EXPECT_EQ(decode<std::vector<std::uint64_t>>("[18446744073709551615]")->front(), UINT64_MAX);
    EXPECT_EQ(decode<std::vector<std::int64_t>>("[-9223372036854775808]")->front(), INT64_MIN);
    EXPECT_FALSE(decode<std::vector<std::int64_t>>("[9223372036854775808]"));
}

TEST(json, of_a_key_that_comes_twice_the_last_counts)
{
    EXPECT_EQ(decode<inner>(R"({"text":"first","count":1,"text":"last"})")->text, "last");
}

TEST(json, one_document_and_nothing_else)
{
    EXPECT_TRUE(parse_json(" {\"a\":1}\r\n\t "));
    for (const auto* text : {"{} {}", "{}x", "1 2", "{}}", "[1]]"}) {
        const auto r = parse_json(text);
        ASSERT_FALSE(r) << text;
        EXPECT_TRUE(r.error().message.starts_with("not valid JSON: more text after its end, at byte ") ||
                    r.error().message.starts_with("not valid JSON at byte "))
            << r.error().message;
    }
    for (const auto* text : {"", "  ", "{", "[1,", "\"a", "{\"a\":", "tru"})
        EXPECT_EQ(parse_json(text).error().message, "not valid JSON: it ends too early") << text;
}

TEST(json, what_is_no_json_is_told_with_its_place)
{
    for (const auto* text : {"{'a':1}", "{a:1}", "[1,]", "nul", "nope", "01", "+1", "\"\x01\"", "\"\xff\"",
                             "\"\\ud800\"", "\"\\x\"", "<html>", "NaN", "/* c */ 1"}) {
        const auto r = parse_json(text);
        ASSERT_FALSE(r) << text;
        EXPECT_TRUE(r.error().message.starts_with("not valid JSON")) << r.error().message;
    }
    EXPECT_TRUE(parse_json("[1, x]").error().message.starts_with("not valid JSON at byte 4: "))
        << parse_json("[1, x]").error().message;
}

TEST(json, depth_has_a_limit)
{
    const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
    EXPECT_TRUE(parse_json(nested(32)));
    EXPECT_FALSE(parse_json(nested(33)));
    EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST(json, is_printed_for_people_with_two_blanks_and_in_order)
{
    EXPECT_EQ(pretty_json(*parse_json(R"({"b":1,"a":[true,null,{"x":"y"}],"e":{},"f":[],"k\n":"q\"t"})")),
              "{\n"
              "  \"b\": 1,\n"
              "  \"a\": [\n"
              "    true,\n"
              "    null,\n"
              "    {\n"
              "      \"x\": \"y\"\n"
              "    }\n"
              "  ],\n"
              "  \"e\": {},\n"
              "  \"f\": [],\n"
              "  \"k\\n\": \"q\\\"t\"\n"
              "}\n");
    EXPECT_EQ(pretty_json(json::value(nullptr)), "null\n");
}

TEST(json, whatever_is_written_can_be_read)
{
    EXPECT_TRUE(rc::check([](const std::string& any, std::uint32_t count) {
        const inner i{any, count};
        const auto back = decode<inner>(encode(i));
        RC_ASSERT(back.has_value());
        RC_ASSERT(back->text == base::to_utf8(any));
        RC_ASSERT(back->count == count);
        RC_ASSERT(*parse_json(pretty_json(to_json(i))) == to_json(i));
    }));
    EXPECT_EQ(decode<inner>(encode(inner{"gr\xf6\xdf", 1}))->text, "gr??");
}

} // namespace
} // namespace xentz::wire
