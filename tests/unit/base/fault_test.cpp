#include "base/fault.hpp"
#include "support/golden.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace xentz::base {
namespace {

std::vector<fault_code> every_code()
{
    std::vector<fault_code> all;
    for (int i = 0; i <= static_cast<int>(fault_code::invalid_value); ++i) all.push_back(static_cast<fault_code>(i));
    return all;
}

TEST(fault, every_code_has_a_name_of_its_own)
{
    std::set<std::string_view> names;
    for (const auto code : every_code()) {
        const std::string text{name(code)};
        EXPECT_TRUE(std::regex_match(text, std::regex{"[a-z]+(-[a-z]+)*"})) << text;
        EXPECT_TRUE(names.insert(name(code)).second) << text << " is the name of two codes";
    }
}

TEST(fault, every_name_stands_in_the_documentation_with_its_retry)
{
    const auto docs = test::read_text(std::filesystem::path{XENTZ_TESTS_DIR}.parent_path() / "docs" / "faults.md");
    for (const auto code : every_code()) {
        const std::string row = "\n| `" + std::string{name(code)} + "` | ";
        const auto at = docs.find(row);
        ASSERT_NE(at, std::string::npos) << name(code) << " is not documented";
        const auto line = docs.substr(at + row.size(), docs.find('\n', at + 1) - at - row.size());
        EXPECT_NE(line.find(may_retry(code) ? " | yes | " : " | no | "), std::string::npos)
            << name(code) << ": " << line;
    }
}

TEST(fault, nothing_else_is_documented_as_one)
{
    const auto docs = test::read_text(std::filesystem::path{XENTZ_TESTS_DIR}.parent_path() / "docs" / "faults.md");
    std::set<std::string> names;
    for (const auto code : every_code()) names.insert(std::string{name(code)});
    const std::regex row{"\n\\| `([a-z-]+)` \\|"};
    for (auto at = std::sregex_iterator{docs.begin(), docs.end(), row}; at != std::sregex_iterator{}; ++at)
        EXPECT_TRUE(names.contains((*at)[1])) << (*at)[1];
}

TEST(fault, a_sentence_has_a_remedy_where_there_is_one)
{
    EXPECT_EQ(sentence({fault_code::disk_full, "no room", "Make some"}), "no room. Make some.");
    EXPECT_EQ(sentence({fault_code::disk_full, "no room", ""}), "no room.");
}

TEST(fault, is_handed_on_whole)
{
    const auto inner = []() -> result<int> { return fail(fault_code::conflict, "taken", "Use another"); };
    const auto outer = [&]() -> result<std::string> {
        auto r = inner();
        if (!r) return failed(r);
        return "never";
    };
    const auto r = outer();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::conflict);
    EXPECT_EQ(sentence(r.error()), "taken. Use another.");
}

} // namespace
} // namespace xentz::base
