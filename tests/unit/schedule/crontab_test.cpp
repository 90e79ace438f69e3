#include "schedule/crontab.hpp"

#include "support/golden.hpp"
#include "unit/schedule/specs.hpp"

#include <rapidcheck/gtest.h>

#include <utility>

namespace xentz::schedule {
namespace {

std::string block(const invocation& command, const std::string& instance = {})
{
    const auto out = crontab_block(test::timers(test::every_job(), command, instance));
    EXPECT_TRUE(out);
    return out.value_or("");
}

// What cron hands to sh, after the reading of Debian's cron: a backslash takes the meaning of '%' and of '\'.
std::string cron_reads(std::string_view command)
{
    std::string out;
    for (std::size_t i = 0; i < command.size(); ++i) {
        if (command[i] == '\\' && i + 1 < command.size() && (command[i + 1] == '%' || command[i + 1] == '\\')) {
            out += command[++i];
        } else {
            EXPECT_NE(command[i], '%') << "it would end the command: " << command;
            out += command[i];
        }
    }
    return out;
}

// The words that sh makes of a line with quotes of both kinds.
std::vector<std::string> sh_words(std::string_view text)
{
    std::vector<std::string> out;
    std::size_t i = 0;
    while (i < text.size()) {
        while (i < text.size() && text[i] == ' ') ++i;
        if (i == text.size()) break;
        std::string word;
        while (i < text.size() && text[i] != ' ') {
            if (const char quote = text[i]; quote == '\'' || quote == '"') {
                const auto end = text.find(quote, i + 1);
                word += text.substr(i + 1, end - i - 1);
                i = end + 1;
            } else {
                word += text[i++];
            }
        }
        out.push_back(word);
    }
    return out;
}

TEST(Crontab, BlockIsAsRecorded)
{
    test::expect_golden("schedule/crontab.txt", block(test::plain_command()));
    test::expect_golden("schedule/crontab.odd.txt", block(test::odd_command(), "0a1b2c3d"));
}

TEST(Crontab, BlockGoesToTheEndOnceAndLeavesTheRest)
{
    const std::string foreign = "# mine\nMAILTO=me\r\n\n5 4 * * * echo \t'x'  \n";
    const auto one = block(test::plain_command());
    const auto first = with_block(foreign, "", one);
    ASSERT_TRUE(first);
    EXPECT_EQ(*first, foreign + one);
    EXPECT_EQ(with_block(*first, "", one), *first) << "a second time changes nothing";
    auto later = test::every_job();
    later.daily_at = "14:00";
    const auto other = crontab_block(test::timers(later, test::plain_command()));
    const auto appended = *first + "6 4 * * * below\n";
    const auto changed = with_block(appended, "", *other);
    EXPECT_EQ(*changed, foreign + *other + "6 4 * * * below\n");
    EXPECT_EQ(with_block(*changed, "", ""), foreign + "6 4 * * * below\n");
}

TEST(Crontab, TwoAgentsDoNotTouchEachOther)
{
    const auto mine = block(test::plain_command());
    const auto other = block(test::plain_command(), "0a1b2c3d");
    const auto both = *with_block(mine, "0a1b2c3d", other);
    EXPECT_EQ(both, mine + other);
    EXPECT_EQ(*find_block(both, ""), mine);
    EXPECT_EQ(*find_block(both, "0a1b2c3d"), other);
    EXPECT_EQ(with_block(both, "", ""), other);
}

TEST(Crontab, ASecondBlockGoes)
{
    const auto one = block(test::plain_command());
    EXPECT_EQ(with_block("a\n" + one + "b\n" + one + "c\n", "", one), "a\n" + one + "b\nc\n");
}

TEST(Crontab, MarksThatDoNotMatchAreAFaultAndNothingIsCut)
{
    const auto one = block(test::plain_command());
    const auto first = one.substr(0, one.find('\n') + 1);
    const auto last = one.substr(one.rfind('\n', one.size() - 2) + 1);
    for (const auto& broken : {first + "x\n", "x\n" + last, last + first, first + "x\n" + first + last}) {
        const auto out = with_block(broken, "", one);
        ASSERT_FALSE(out) << broken;
        EXPECT_EQ(out.error().code, base::fault_code::conflict);
    }
}

TEST(Crontab, ALineThatCronWouldNotTakeIsAFault)
{
    auto command = test::plain_command();
    command.config = "/" + std::string(1000, 'x');
    const auto out = crontab_block(test::timers({}, command));
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, base::fault_code::invalid_value);
}

RC_GTEST_PROP(Crontab, GivesEveryWordBack, ())
{
    const auto text = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7F)));
    auto command = test::plain_command();
    command.program = "/opt/" + text;
    command.environment["XENTZ_AGENT_HOME"] = text;
    const auto t = timers_of(test::made({}, {}, {}), command, "");
    RC_ASSERT(t.has_value());
    const auto all = crontab_block(*t);
    RC_ASSERT(all.has_value());
    const auto line = all->substr(all->find('\n') + 1);
    RC_ASSERT(line.starts_with("0 2 * * * "));
    const auto words = sh_words(cron_reads(std::string_view{line}.substr(10, line.find('\n') - 10)));
    RC_ASSERT(words == (std::vector<std::string>{"nice", "-n", "10", "env", "XENTZ_AGENT_HOME=" + text,
                                                 command.program.string(), "backup", "--scheduled", ">/dev/null"}));
}

RC_GTEST_PROP(Crontab, AForeignCrontabSurvivesInstallChangeAndRemoval, ())
{
    auto foreign = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    if (!foreign.empty()) foreign += '\n'; // crontab takes no other
    RC_PRE(!foreign.contains("xentz-agent"));
    const auto one = block(test::plain_command());
    const auto with = with_block(foreign, "", one);
    RC_ASSERT(with.has_value());
    RC_ASSERT(*find_block(*with, "") == one);
    const auto changed = with_block(with.value_or(""), "", block(test::odd_command()));
    RC_ASSERT(with_block(*changed, "", "").value_or("fault") == foreign);
}

} // namespace
} // namespace xentz::schedule
