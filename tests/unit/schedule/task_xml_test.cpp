#include "schedule/task_xml.hpp"

#include "support/golden.hpp"
#include "unit/schedule/specs.hpp"

#include <rapidcheck/gtest.h>

namespace xentz::schedule {
namespace {

invocation odd()
{
    auto command = test::odd_command();
    command.environment.clear();
    command.program = R"(C:\Program Files\xentz & co\xentz-agent.exe)";
    command.config = R"(C:\Users\Jörg "x"\100%\$HOME\)";
    return command;
}

// How CommandLineToArgvW takes a command line apart, by its documentation.
std::vector<std::string> windows_words(std::string_view text)
{
    std::vector<std::string> out;
    std::size_t i = 0;
    while (i < text.size()) {
        while (i < text.size() && (text[i] == ' ' || text[i] == '\t')) ++i;
        if (i == text.size()) break;
        std::string word;
        bool quoted = false;
        while (i < text.size() && (quoted || (text[i] != ' ' && text[i] != '\t'))) {
            std::size_t backslashes = 0;
            while (i < text.size() && text[i] == '\\') {
                ++backslashes;
                ++i;
            }
            if (i < text.size() && text[i] == '"') {
                word.append(backslashes / 2, '\\');
                if (backslashes % 2 == 1)
                    word += '"';
                else
                    quoted = !quoted;
                ++i;
            } else {
                word.append(backslashes, '\\');
                if (i < text.size() && (quoted || (text[i] != ' ' && text[i] != '\t'))) word += text[i++];
            }
        }
        out.push_back(word);
    }
    return out;
}

TEST(TaskXml, OfEachTaskIsAsRecorded)
{
    const auto files = task_definitions(test::timers(test::every_job(), odd()), R"(OFFICE\Jörg & Söhne)");
    ASSERT_TRUE(files);
    ASSERT_EQ(files->size(), 4U);
    for (const auto& f : *files) {
        const auto name = f.name.substr(f.name.rfind('\\') + 1);
        test::expect_golden("schedule/task." + name + ".xml", f.text);
    }
}

TEST(TaskXml, OfTheSystemRunsWithItsAccountAndAtTheStart)
{
    const auto files = task_definitions(test::timers({}, odd()), "");
    ASSERT_TRUE(files);
    EXPECT_TRUE(files->front().text.contains("<UserId>S-1-5-18</UserId>"));
    EXPECT_FALSE(files->front().text.contains("<BootTrigger>"));
    test::expect_golden("schedule/task.system.xml", files->back().text);
}

TEST(TaskXml, CarriesNoVariables)
{
    const auto files = task_definitions(test::timers({}, test::odd_command()), "");
    ASSERT_FALSE(files);
    EXPECT_TRUE(files.error().message.contains("XENTZ_AGENT_HOME"));
}

RC_GTEST_PROP(TaskXml, GivesEveryWordBack, (const std::vector<std::string>& words))
{
    std::string line;
    std::vector<std::string> kept;
    for (auto word : words) {
        std::erase(word, '\0');
        line += (line.empty() ? "" : " ") + windows_word(word);
        kept.push_back(word);
    }
    RC_ASSERT(windows_words(line) == kept);
}

} // namespace
} // namespace xentz::schedule
