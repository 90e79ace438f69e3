#include "crypto/recovery_sheet.hpp"

#include "fakes/fake_random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace xentz::crypto {
namespace {

using testing::HasSubstr;

struct sheet : testing::Test {
    fakes::fake_random random;
    master_key key = master_key::generate(random);
    std::string lines = recovery_lines(key);
};

TEST_F(sheet, has_four_lines_of_five_blocks)
{
    const auto known = *master_key::parse(std::string(64, 'a'));
    EXPECT_EQ(recovery_lines(known), "    1:  aaaa aaaa aaaa aaaa   3890\n"
                                     "    2:  aaaa aaaa aaaa aaaa   cbc8\n"
                                     "    3:  aaaa aaaa aaaa aaaa   31f8\n"
                                     "    4:  aaaa aaaa aaaa aaaa   32d3\n");
}

TEST_F(sheet, gives_the_key_back)
{
    EXPECT_EQ(read_recovery_sheet(lines)->text(), key.text());
    EXPECT_EQ(read_recovery_sheet("Recovery sheet of 2026\r\n\n" + lines + "\nPrint this.\n")->text(), key.text());
    EXPECT_EQ(read_recovery_sheet(key.text() + "\n")->text(), key.text());
}

TEST_F(sheet, takes_what_a_person_types)
{
    auto typed = lines;
    std::erase(typed, ' ');
    std::ranges::transform(typed, typed.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    std::ranges::replace(typed, '0', 'O');
    EXPECT_EQ(read_recovery_sheet(typed)->text(), key.text());
}

TEST_F(sheet, names_the_line_with_a_wrong_digit)
{
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool digit = std::isxdigit(static_cast<unsigned char>(lines[i])) != 0 && lines[i + 1] != ':';
        if (!digit) continue;
        auto typed = lines;
        typed[i] = typed[i] == '7' ? '3' : '7';
        const auto line = std::to_string(1 + std::count(lines.begin(), lines.begin() + static_cast<long>(i), '\n'));
        const auto read = read_recovery_sheet(typed);
        ASSERT_FALSE(read) << typed;
        EXPECT_EQ(read.error().message, "line " + line + " of the recovery sheet has a wrong digit");
    }
}

TEST_F(sheet, tells_a_line_that_is_missing_short_or_in_the_place_of_another)
{
    EXPECT_THAT(read_recovery_sheet("").error().message, HasSubstr("line 1 of the recovery sheet is missing"));
    EXPECT_THAT(read_recovery_sheet(lines.substr(0, lines.size() - 3)).error().message,
                HasSubstr("line 4 of the recovery sheet has 18 digits instead of 20"));
    auto swapped = lines;
    swapped[swapped.find("1:")] = 'x';
    swapped[swapped.find("2:")] = '1';
    EXPECT_THAT(read_recovery_sheet(swapped).error().message, HasSubstr("line 1 of the recovery sheet has a wrong"));
}

} // namespace
} // namespace xentz::crypto
