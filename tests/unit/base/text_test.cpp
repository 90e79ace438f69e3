#include "base/hex.hpp"
#include "base/id.hpp"
#include "base/size_text.hpp"
#include "base/table.hpp"
#include "base/utf8.hpp"
#include "fakes/fake_random.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <regex>
#include <set>

namespace xentz::base {
namespace {

TEST(hex, bytes_come_back)
{
    EXPECT_EQ(to_hex(std::vector<std::uint8_t>{0x00, 0x0f, 0xa5, 0xff}), "000fa5ff");
    EXPECT_EQ(from_hex(""), std::vector<std::uint8_t>{});
    EXPECT_TRUE(rc::check([](const std::vector<std::uint8_t>& bytes) { RC_ASSERT(from_hex(to_hex(bytes)) == bytes); }));
}

TEST(hex, only_lower_case_pairs_of_digits)
{
    for (const auto* text : {"0", "0g", "A0", "aF", " a", "0x", "12 34"}) EXPECT_FALSE(from_hex(text)) << text;
}

TEST(hex, the_name_of_an_object)
{
    EXPECT_TRUE(is_sha256_hex(std::string(64, '0')));
    EXPECT_TRUE(is_sha256_hex(std::string(32, 'a') + std::string(32, 'f')));
    EXPECT_FALSE(is_sha256_hex(std::string(63, '0')));
    EXPECT_FALSE(is_sha256_hex(std::string(65, '0')));
    EXPECT_FALSE(is_sha256_hex(std::string(64, 'g')));
    EXPECT_FALSE(is_sha256_hex(std::string(64, 'A')));
    EXPECT_FALSE(is_sha256_hex("../" + std::string(61, '0')));
    EXPECT_FALSE(is_sha256_hex(""));
}

TEST(id, is_a_prefix_and_eighty_random_bits)
{
    fakes::fake_random random;
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto text = make_id_text("dev", random);
        EXPECT_TRUE(std::regex_match(text, std::regex{"dev_[0-9a-f]{20}"})) << text;
        seen.insert(text);
    }
    EXPECT_EQ(seen.size(), 100U);
    EXPECT_EQ((make_id<id<struct some_tag>>("tok", random).text.substr(0, 4)), "tok_");
}

TEST(size_text, binary_units)
{
    EXPECT_EQ(to_size(0), "0 B");
    EXPECT_EQ(to_size(300), "300 B");
    EXPECT_EQ(to_size(1023), "1023 B");
    EXPECT_EQ(to_size(1024), "1.0 KiB");
    EXPECT_EQ(to_size(1536), "1.5 KiB");
    EXPECT_EQ(to_size(std::uint64_t{3} << 29U), "1.5 GiB");
    EXPECT_EQ(to_size(std::uint64_t{5} << 40U), "5.0 TiB");
    EXPECT_EQ(to_size(UINT64_MAX), "16384.0 PiB");
}

TEST(size_text, one_thing_and_several)
{
    EXPECT_EQ(counted(0, "snapshot"), "0 snapshots");
    EXPECT_EQ(counted(1, "snapshot"), "1 snapshot");
    EXPECT_EQ(counted(2, "snapshot"), "2 snapshots");
}

TEST(table, columns_are_as_wide_as_their_widest_cell)
{
    table t{{"ID", "NAME"}};
    EXPECT_TRUE(t.empty());
    t.add({"1", "first"});
    t.add({"100", "x"});
    EXPECT_FALSE(t.empty());
    EXPECT_EQ(t.text(), "ID   NAME\n"
                        "1    first\n"
                        "100  x\n");
}

TEST(table, a_character_counts_once_whatever_its_bytes)
{
    table t{{"NAME", "N"}};
    t.add({"größe", "1"});
    t.add({"日本", "2"});
    EXPECT_EQ(t.text(), "NAME   N\n"
                        "größe  1\n"
                        "日本     2\n");
}

TEST(table, control_characters_cannot_reach_the_terminal)
{
    table t{{"NAME"}};
    t.add({"a\x1b[2Jb\r\n\tc\x7f"});
    t.add({"\xc2\x9b"
           "31m \xc2\x85 \xc2\xa0 ä"});
    EXPECT_EQ(t.text(), "NAME\n"
                        "a?[2Jb???c?\n"
                        "?31m ? \xc2\xa0 ä\n");
}

TEST(table, missing_cells_are_empty_and_too_many_are_dropped)
{
    table t{{"A", "B"}};
    t.add({"1"});
    t.add({"1", "2", "3"});
    EXPECT_EQ(t.text(), "A  B\n1  \n1  2\n");
}

TEST(utf8, tells_characters_from_stray_bytes)
{
    for (const auto* text : {"", "plain", "größe", "日本", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(is_utf8(text)) << text;
    for (const std::string text : {"\xff", "\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                                   "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xe6\x97", "\xf0\x8f\xbf\xbf"})
        EXPECT_FALSE(is_utf8(text)) << to_utf8(text);
}

TEST(utf8, stray_bytes_become_question_marks_and_nothing_else_changes)
{
    EXPECT_EQ(to_utf8("gr\xf6\xdf"
                      "e"),
              "gr??e");
    EXPECT_EQ(to_utf8("\xe6\x97日"), "??日");
    EXPECT_TRUE(rc::check([](const std::string& any) {
        const auto clean = to_utf8(any);
        RC_ASSERT(is_utf8(clean));
        RC_ASSERT((clean == any) == is_utf8(any));
        RC_ASSERT(clean.size() == any.size());
    }));
}

TEST(utf8, is_cut_between_characters)
{
    EXPECT_EQ(cut_utf8("abc", 3), "abc");
    EXPECT_EQ(cut_utf8("abc", 2), "ab");
    EXPECT_EQ(cut_utf8("aäb", 2), "a");
    EXPECT_EQ(cut_utf8("aäb", 3), "aä");
    EXPECT_EQ(cut_utf8("日", 2), "");
    EXPECT_EQ(cut_utf8("", 0), "");
    EXPECT_TRUE(rc::check([](const std::string& any) {
        const auto text = to_utf8(any);
        const auto most = *rc::gen::inRange<std::size_t>(0, text.size() + 2);
        const auto cut = cut_utf8(text, most);
        RC_ASSERT(cut.size() <= most);
        RC_ASSERT(is_utf8(cut));
        RC_ASSERT(text.starts_with(cut));
    }));
}

} // namespace
} // namespace xentz::base
