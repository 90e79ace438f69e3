#include "domain/commands.hpp"

#include "domain/policy.hpp"

#include <gtest/gtest.h>

namespace xentz::domain {
namespace {

command good()
{
    return {.name = "stop-web", .run = {"/usr/bin/systemctl", "stop", "web"}, .environment = {}, .file_name = {}};
}

std::string trouble_with(const command& c)
{
    const auto ok = validate(c, "commands[0]");
    return ok ? "" : ok.error().message;
}

TEST(commands, a_program_by_its_path_and_its_arguments)
{
    EXPECT_EQ(trouble_with(good()), "");
    auto c = good();
    c.run = {"systemctl", "stop"};
    EXPECT_EQ(trouble_with(c), "commands[0].run[0] must be the absolute path of a program, not \"systemctl\"");
    c.run.clear();
    EXPECT_EQ(trouble_with(c), "commands[0].run is empty: it is the program and its arguments");
    c = good();
    c.run.emplace_back("a\0b", 3);
    EXPECT_EQ(trouble_with(c), "commands[0].run[3] contains a NUL");
    c.run.back() = "\xff";
    EXPECT_EQ(trouble_with(c), "commands[0].run[3] is not UTF-8");
    c.run.back() = "two\nlines are an argument like any other";
    EXPECT_EQ(trouble_with(c), "");
}

TEST(commands, a_time_limit_of_a_second_to_a_day)
{
    auto c = good();
    for (const std::uint32_t bad : {0U, 86401U}) {
        c.time_limit_seconds = bad;
        EXPECT_EQ(trouble_with(c), "commands[0].time_limit_seconds must be 1 to 86400");
    }
    c.time_limit_seconds = 86400;
    EXPECT_EQ(trouble_with(c), "");
}

TEST(commands, variables_have_names_as_a_shell_knows_them)
{
    auto c = good();
    c.environment = {{"PGUSER", "backup"}, {"_A1", ""}};
    EXPECT_EQ(trouble_with(c), "");
    for (const auto* bad : {"", "1A", "A B", "A=B", "ä"}) {
        c.environment = std::map<std::string, std::string>{{std::string{bad}, "x"}};
        EXPECT_NE(trouble_with(c), "") << bad;
    }
}

TEST(commands, the_file_of_a_dump_has_no_folder)
{
    auto c = good();
    c.file_name = "orders.sql";
    EXPECT_EQ(trouble_with(c), "");
    for (const auto* bad : {"", ".", "..", "a/b", "/a", "a\nb"}) {
        c.file_name = bad;
        EXPECT_NE(trouble_with(c), "") << bad;
    }
}

TEST(commands, a_name_stands_for_one_thing)
{
    EXPECT_TRUE(validate_commands({good()}));
    EXPECT_EQ(validate_commands({good(), good()}).error().message, "commands[1].name is there twice: stop-web");
    EXPECT_EQ(validate_dumps({"a", "b", "a"}).error().message, "dumps[2] is there twice: a");
}

TEST(hooks, say_which_command_around_which_job)
{
    hook h{.command = "stop-web"};
    EXPECT_TRUE(validate_hooks({h, h})) << "the same command may run before several jobs";
    h.when = "during";
    EXPECT_EQ(validate_hooks({h}).error().message,
              "hooks[0].when must be before, after, after-success or after-failure, not \"during\"");
    h = {.command = "stop-web", .job = "install"};
    EXPECT_EQ(validate_hooks({h}).error().message,
              "hooks[0].job must be backup, retention, check or restore, not \"install\"");
    h = {.command = "stop-web", .on_failure = "retry"};
    EXPECT_EQ(validate_hooks({h}).error().message, "hooks[0].on_failure must be stop or continue, not \"retry\"");
    EXPECT_FALSE(validate_hooks({hook{}})) << "without a name";
}

TEST(policies, are_valid_with_what_they_say_of_commands)
{
    auto p = default_policy();
    p.hooks = {{.command = "a"}};
    p.dumps = {"orders"};
    p.commands = {good()};
    p.conditions = conditions{.not_on_battery = patience{}, .not_on_metered = {}, .only_within = {}};
    EXPECT_TRUE(validate(p));
    p.commands->front().run.clear();
    EXPECT_FALSE(validate(p));
    p.commands.reset();
    p.conditions->not_on_battery->deadline_hours = 0;
    EXPECT_FALSE(validate(p));
    p.conditions.reset();
    p.dumps = {"../x"};
    EXPECT_FALSE(validate(p));
}

} // namespace
} // namespace xentz::domain
