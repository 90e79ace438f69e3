#include "schedule/systemd_units.hpp"

#include "support/golden.hpp"
#include "unit/schedule/specs.hpp"

#include <rapidcheck/gtest.h>

namespace xentz::schedule {
namespace {

std::string all_text(const std::vector<unit_file>& files)
{
    std::string out;
    for (const auto& f : files) out += "==> " + f.name + "\n" + f.text;
    return out;
}

std::string line_with(const std::vector<unit_file>& files, const std::string& name, const std::string& start)
{
    for (const auto& f : files)
        if (f.name == name)
            if (const auto at = f.text.find("\n" + start); at != std::string::npos)
                return f.text.substr(at + 1, f.text.find('\n', at + 1) - at - 1);
    return {};
}

// A reader of its own, after systemd.service(5) and systemd.syntax(7): words, double quotes, \\ and \", %% for %.
std::vector<std::string> systemd_words(std::string_view text)
{
    std::vector<std::string> out;
    std::size_t i = 0;
    while (i < text.size()) {
        while (i < text.size() && text[i] == ' ') ++i;
        if (i == text.size()) break;
        std::string word;
        bool quoted = false;
        for (; i < text.size() && (quoted || text[i] != ' '); ++i) {
            if (text[i] == '"') {
                quoted = !quoted;
            } else if (text[i] == '\\') {
                word += text.at(++i);
            } else if (text[i] == '%') {
                if (text.at(++i) != '%') ADD_FAILURE() << "a specifier in " << text;
                word += '%';
            } else {
                word += text[i];
            }
        }
        out.push_back(word);
    }
    return out;
}

TEST(SystemdUnits, OfAUserAreAsRecorded)
{
    test::expect_golden(
        "schedule/systemd.user.txt",
        all_text(systemd_units(test::timers(test::every_job(), test::plain_command()), unit_scope::user)));
}

TEST(SystemdUnits, OfTheSystemAreAsRecorded)
{
    auto t = test::timers(test::every_job(), test::odd_command(), "0a1b2c3d");
    t.writes = {"/var/lib/xentz-agent", "/etc/with blank/100%"};
    test::expect_golden("schedule/systemd.system.odd.txt", all_text(systemd_units(t, unit_scope::system)));
}

TEST(SystemdUnits, WithoutCatchUpOnlyTheHourlyRunIsPersistent)
{
    auto s = test::every_job();
    s.catch_up = false;
    const auto units = systemd_units(test::timers(s, test::plain_command()), unit_scope::user);
    EXPECT_EQ(line_with(units, "xentz-agent-backup.timer", "Persistent="), "");
    EXPECT_EQ(line_with(units, "xentz-agent-run-due.timer", "Persistent="), "Persistent=true");
}

TEST(SystemdUnits, LeaveThePlaceInTheWindowToTheExpression)
{
    for (const auto& u : systemd_units(test::timers(test::every_job(), test::plain_command()), unit_scope::user)) {
        EXPECT_FALSE(u.text.contains("RandomizedDelaySec")) << u.name;
        EXPECT_FALSE(u.text.contains("FixedRandomDelay")) << u.name;
    }
}

RC_GTEST_PROP(SystemdUnits, GiveEveryWordBack, ())
{
    const auto text = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7F)));
    auto command = test::plain_command();
    command.program = "/opt/" + text + "/xentz-agent";
    command.config = "/etc/" + text;
    command.environment["XENTZ_AGENT_HOME"] = text;
    const auto t = timers_of(test::made({}, {}, {}), command, "");
    RC_ASSERT(t.has_value());
    const auto units = systemd_units(*t, unit_scope::user);
    const auto exec = line_with(units, "xentz-agent-backup.service", "ExecStart=").substr(10);
    auto words = systemd_words(exec);
    RC_ASSERT(words.front().starts_with(":"));
    words.front().erase(0, 1);
    if (text.find_first_of("\"'\\") != std::string::npos) {
        // No name of a program for systemd: sh starts it.
        RC_ASSERT(words.size() == 8U);
        RC_ASSERT(words[0] == "/bin/sh");
        RC_ASSERT(words[2] == R"(exec "$0" "$@")");
        words.erase(words.begin(), words.begin() + 3);
    }
    RC_ASSERT(words == (std::vector<std::string>{command.program.string(), "backup", "--scheduled", "--config",
                                                 command.config->string()}));
    const auto environment = line_with(units, "xentz-agent-backup.service", "Environment=").substr(12);
    RC_ASSERT(systemd_words(environment) == std::vector<std::string>{"XENTZ_AGENT_HOME=" + text});
}

} // namespace
} // namespace xentz::schedule
