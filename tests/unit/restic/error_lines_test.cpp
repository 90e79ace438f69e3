#include "restic/error_lines.hpp"

#include "base/redactor.hpp"
#include "restic/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xentz::restic {
namespace {

using testing::ElementsAre;

std::string unchanged(std::string_view text) { return std::string{text}; }

TEST(error_lines, are_the_last_sixty_four)
{
    error_lines lines{unchanged};
    for (int i = 0; i < 1'000; ++i) lines.add("line " + std::to_string(i));
    ASSERT_EQ(lines.all().size(), error_lines::most_lines);
    EXPECT_EQ(lines.all().front(), "line 936");
    EXPECT_EQ(lines.all().back(), "line 999");
}

TEST(error_lines, are_sixteen_kibibytes_at_most)
{
    error_lines lines{unchanged};
    for (int i = 0; i < 60; ++i) lines.add(std::to_string(i) + std::string(3'000'000, 'x'));
    std::size_t bytes = 0;
    for (const auto& line : lines.all()) bytes += line.size();
    EXPECT_LE(bytes, error_lines::most_bytes);
    EXPECT_TRUE(lines.all().back().starts_with("59x"));
}

TEST(error_lines, take_the_text_out_of_json)
{
    error_lines lines{unchanged};
    lines.add(R"({"message_type":"exit_error","code":1,"message":"Fatal: a\nb\n"})");
    lines.add(R"({"message_type":"error","message":"pack 1: does not exist\n"})");
    lines.add(R"({"message_type":"error","error":{"message":"no"},"during":"restore","item":"/a"})");
    lines.add(R"({"message_type":"error","error":{},"during":"restore","item":"/b"})");
    lines.add(R"({"message_type":"status","percent_done":1})");
    lines.add("{no json");
    EXPECT_THAT(lines.all(), ElementsAre("Fatal: a", "b", "pack 1: does not exist", "/a: no", "/b", "{no json"));
}

TEST(error_lines, leave_out_stacks_and_escapes)
{
    error_lines lines{unchanged};
    lines.add("\x1b[2Ksignal interrupt received, cleaning up");
    lines.add("");
    lines.add("github.com/restic/restic/internal/backend.(*RetryBackend).Remove");
    lines.add("\tgithub.com/restic/restic/internal/backend/backend_retry.go:107");
    lines.add(
        R"({"message_type":"exit_error","code":3,"message":"failed\nmain.init\n\tcmd_forget.go:67\nruntime.main"})");
    lines.add("panic: it broke");
    lines.add("anything behind it");
    EXPECT_THAT(lines.all(), ElementsAre("signal interrupt received, cleaning up", "failed", "panic: it broke"));
}

TEST(error_lines, hold_no_secret)
{
    base::redactor redactor;
    redactor.add("hunter22");
    error_lines lines{[&](std::string_view text) { return redactor.clean(text); }};
    lines.add("Fatal: hunter22 at rest:http://me:other@host/");
    lines.add(R"({"message_type":"exit_error","code":1,"message":"hunter22"})");
    // Cut only after the secret is gone, so that no half of it stays.
    lines.add(std::string(4'090, 'x') + "hunter22");
    EXPECT_EQ(lines.all().at(0), "Fatal: *** at rest:http://me:***@host/");
    EXPECT_EQ(lines.all().at(1), "***");
    EXPECT_EQ(lines.all().at(2).find("hunt"), std::string::npos);
}

TEST(text, is_made_printable)
{
    EXPECT_EQ(printable("a\x1b[2Kb\x1b[31;1mc\x1b"), "abc");
    EXPECT_EQ(printable("a\tb\x01\x7f"), "a b");
    EXPECT_EQ(printable("ünïcode 漢 😀"), "ünïcode 漢 😀");
    EXPECT_EQ(printable("a\xff\xc3"), "a??");
    EXPECT_EQ(printable("\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80"), "?? ??? ????");
}

TEST(text, is_cut_between_characters)
{
    EXPECT_EQ(shortened("abc", 3), "abc");
    EXPECT_EQ(shortened("abcdefgh", 6), "abc...");
    EXPECT_EQ(shortened("aüüüüü", 7), "aü...");
    EXPECT_EQ(shortened("aüüüüü", 8), "aüü...");
}

TEST(text, password_of_an_address)
{
    EXPECT_EQ(password_of("rest:http://me:pass@word@host/x"), "pass@word");
    EXPECT_EQ(password_of("rest:http://me:pa/ss@host/x"), "pa/ss");
    EXPECT_EQ(password_of("rest:http://host:8000/x"), "");
    EXPECT_EQ(password_of("rest:http://me@host:8000/x"), "");
    EXPECT_EQ(password_of("/srv/a:b@c"), "");
    EXPECT_EQ(password_of(""), "");
}

} // namespace
} // namespace xentz::restic
