#include "agent/local_commands.hpp"
#include "machine.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace xentz::agent {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

struct with_commands : running {
    void define(const std::string& names)
    {
        std::string all;
        std::istringstream words{names};
        for (std::string name; words >> name;)
            all += (all.empty() ? "" : ",") + ("{\"name\":\"" + name + "\",\"run\":[\"/bin/" + name + "\",\"x y\"]}");
        m.write(m.env.home.commands(), "{\"format\":1,\"commands\":[" + all + "]}");
    }
    void hooks(std::vector<domain::hook> all) { m.server.config.hooks = std::move(all); }
    void ends(int code, const std::string& out = "")
    {
        m.programs.script.push_back({.out = out, .err = {}, .end = {.exit_code = code}});
    }
    std::vector<std::string> ran() const
    {
        std::vector<std::string> out;
        for (const auto& c : m.programs.commands) out.push_back(c.program.filename());
        return out;
    }
    std::vector<domain::command_result> told() const
    {
        const auto r = last_report();
        return r.details && r.details->commands ? *r.details->commands : std::vector<domain::command_result>{};
    }
};

TEST_F(with_commands, run_before_and_after_the_job_that_they_are_for)
{
    define("stop start tidy");
    hooks({{.command = "stop"},
           {.command = "start", .when = "after"},
           {.command = "tidy", .job = "retention", .when = "after"}});
    ends(0, "stopped\n");
    ends(0);
    m.restic.on_call = [&](std::string_view call) {
        if (call != "backup") return;
        EXPECT_THAT(ran(), ElementsAre("stop"));
    };
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_THAT(ran(), ElementsAre("stop", "start"));
    ASSERT_EQ(told().size(), 2U);
    EXPECT_EQ(told()[0].when, "before");
    EXPECT_EQ(told()[0].status, "success");
    EXPECT_THAT(*told()[0].output, ElementsAre("stopped"));
    EXPECT_EQ(told()[1].when, "after");
}

TEST_F(with_commands, are_argument_lists_in_a_clean_environment)
{
    m.env.command_environment = {{"PATH", "/bin"}, {"HOME", "/home/ada"}};
    m.write(m.env.home.commands(), R"({"format":1,"commands":[{"name":"a","run":["/bin/a","x y","$HOME"],
        "environment":{"PATH":"/opt"},"time_limit_seconds":7}]})");
    hooks({{.command = "a", .when = "after"}});
    ends(0);
    EXPECT_EQ(fault_of(m.backup()), "none");
    const auto& c = m.programs.commands.at(0);
    EXPECT_EQ(c.program, "/bin/a");
    EXPECT_THAT(c.args, ElementsAre("x y", "$HOME"));
    EXPECT_EQ(c.environment.at("PATH"), "/opt");
    EXPECT_EQ(c.environment.at("HOME"), "/home/ada");
    EXPECT_THAT(c.environment, Contains(Pair("XENTZ_JOB", "backup")));
    EXPECT_THAT(c.environment, Contains(Pair("XENTZ_STATUS", "success")));
    EXPECT_THAT(c.environment, Contains(Pair("XENTZ_SNAPSHOT", m.server.snapshots.front())));
    EXPECT_THAT(c.inherited, IsEmpty()) << "the run lock is none of its business";
    EXPECT_EQ(m.programs.limits.at(0).longest, std::chrono::seconds{7});
}

TEST_F(with_commands, one_that_fails_before_the_job_keeps_it_from_running)
{
    define("stop start");
    hooks({{.command = "stop"}, {.command = "start", .when = "after"}});
    ends(3, "no such unit\n");
    ends(0);
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "hook-failed");
    EXPECT_THAT(message_of(r), HasSubstr("the backup did not begin: the command stop failed before it (it ended with "
                                         "exit code 3)"));
    EXPECT_FALSE(m.restic.called("backup"));
    EXPECT_THAT(ran(), ElementsAre("stop", "start")) << "what it may have stopped is started again";
    EXPECT_EQ(last_report().status, domain::run_status::failure);
    ASSERT_EQ(told().size(), 2U);
    EXPECT_THAT(*told()[0].output, ElementsAre("no such unit"));
    EXPECT_EQ(m.programs.commands.at(1).environment.at("XENTZ_FAULT"), "hook-failed");
}

TEST_F(with_commands, one_that_may_fail_keeps_nothing)
{
    define("stop");
    hooks({{.command = "stop", .on_failure = "continue"}});
    ends(3);
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_TRUE(m.restic.called("backup"));
    EXPECT_EQ(told().at(0).status, "failure");
}

TEST_F(with_commands, one_that_fails_after_the_job_is_told_and_changes_nothing)
{
    define("start");
    hooks({{.command = "start", .when = "after"}});
    ends(1);
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "none");
    EXPECT_EQ(last_report().status, domain::run_status::success);
    EXPECT_EQ(told().at(0).message, "it ended with exit code 1");
}

TEST_F(with_commands, follow_what_came_of_the_job)
{
    define("good bad both");
    hooks({{.command = "good", .when = "after-success"},
           {.command = "bad", .when = "after-failure"},
           {.command = "both", .when = "after"}});
    ends(0);
    ends(0);
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_THAT(ran(), ElementsAre("good", "both"));
    m.programs.commands.clear();
    ends(0);
    ends(0);
    m.restic.backup_result = base::fail(fault_code::restic_failed, "no");
    EXPECT_EQ(fault_of(m.backup()), "restic-failed");
    EXPECT_THAT(ran(), ElementsAre("bad", "both"));
    EXPECT_EQ(m.programs.commands.at(0).environment.at("XENTZ_FAULT"), "restic-failed");
}

TEST_F(with_commands, that_flood_leave_their_end_in_the_report_and_a_bound_in_the_log)
{
    define("flood");
    hooks({{.command = "flood", .on_failure = "continue"}});
    std::string out;
    for (int i = 0; i < 5000; ++i) out += "line " + std::to_string(i) + std::string(300, 'x') + "\n";
    ends(0, out);
    EXPECT_EQ(fault_of(m.backup()), "none");
    const auto lines = *told().at(0).output;
    ASSERT_EQ(lines.size(), 20U);
    EXPECT_THAT(lines.back(), HasSubstr("line 4999"));
    EXPECT_EQ(lines.back().size(), 200U);
    EXPECT_THAT(m.log.text(), HasSubstr("flood: 4000 more lines were not logged"));
}

TEST_F(with_commands, show_no_secret)
{
    define("leak");
    hooks({{.command = "leak"}});
    ends(0, "the password is repository-password\n");
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_THAT(told().at(0).output->front(), testing::Not(HasSubstr("repository-password")));
    EXPECT_THAT(m.log.text(), testing::Not(HasSubstr("repository-password")));
}

TEST_F(with_commands, that_nobody_knows_here_stop_the_run_with_a_remedy)
{
    hooks({{.command = "stop"}});
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "hook-failed");
    EXPECT_THAT(message_of(r), HasSubstr("this machine knows no command stop"));
    EXPECT_THAT(message_of(r), HasSubstr("commands.json"));
}

TEST_F(with_commands, of_the_server_run_only_where_this_machine_allows_it)
{
    m.server.config.commands = {{.name = "remote", .run = {"/bin/remote"}, .environment = {}, .file_name = {}},
                                {.name = "both", .run = {"/bin/theirs"}, .environment = {}, .file_name = {}}};
    hooks({{.command = "remote"}, {.command = "both"}});
    EXPECT_EQ(fault_of(m.backup()), "hook-failed");
    EXPECT_THAT(ran(), IsEmpty());
    auto c = m.enrolled_config();
    c.allow_remote_commands = true;
    m.set_up(c);
    define("both");
    ends(0);
    ends(0);
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_THAT(ran(), ElementsAre("remote", "both")) << "its own word comes first";
}

TEST_F(with_commands, of_this_machine_come_beside_those_of_the_policy)
{
    define("theirs mine");
    auto c = m.enrolled_config();
    c.hooks = {{.command = "mine"}};
    m.set_up(c);
    hooks({{.command = "theirs"}});
    ends(0);
    ends(0);
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_THAT(ran(), ElementsAre("theirs", "mine"));
}

TEST_F(with_commands, after_an_interrupt_still_run_but_not_for_long)
{
    define("start");
    hooks({{.command = "start", .when = "after"}});
    ends(0);
    std::stop_source stop;
    m.restic.on_backup = [&](const engine::backup_request&, std::stop_token) -> base::result<engine::backup_outcome> {
        stop.request_stop();
        return base::fail(fault_code::interrupted, "interrupted");
    };
    const auto r = run_job(m.env, domain::job::backup, backup_work({}, {}), stop.get_token());
    EXPECT_EQ(fault_of(r), "interrupted");
    EXPECT_THAT(ran(), ElementsAre("start"));
    EXPECT_EQ(m.programs.limits.at(0).longest, std::chrono::seconds{30});
}

TEST_F(with_commands, after_the_job_are_not_interrupted_by_a_stop)
{
    define("start more");
    hooks({{.command = "start", .when = "after"}, {.command = "more", .when = "after"}});
    ends(0, "one\ntwo\n");
    ends(0);
    std::stop_source stop;
    m.programs.while_running = [&](const os::command&) {
        stop.request_stop();
        m.clock.advance(std::chrono::seconds{20});
    };
    const auto r = run_job(m.env, domain::job::backup, backup_work({}, {}), stop.get_token());
    EXPECT_EQ(fault_of(r), "none");
    EXPECT_FALSE(m.programs.interrupted);
    EXPECT_EQ(told().at(0).status, "success");
    EXPECT_EQ(m.programs.limits.at(0).longest, std::chrono::seconds{600});
    EXPECT_EQ(m.programs.limits.at(1).longest, std::chrono::seconds{30}) << "what begins after the stop";
}

TEST_F(with_commands, hide_the_secrets_of_their_environment)
{
    m.write(m.env.home.commands(), R"({"commands":[{"name":"dump","run":["/bin/dump"],
        "environment":{"PGPASSWORD":"hunter2hunter2","PGUSER":"backup"}}]})");
    hooks({{.command = "dump"}});
    ends(1, "connecting as backup with hunter2hunter2\n");
    EXPECT_EQ(fault_of(m.backup()), "hook-failed");
    EXPECT_EQ(told().at(0).output->front(), "connecting as backup with ***");
}

TEST_F(with_commands, count_only_from_a_file_that_nobody_else_can_write)
{
    define("stop");
    const auto file = m.env.home.commands();
    EXPECT_TRUE(load_local_commands(m.memory, m.env.home));
    m.memory.set_rights(file, os::user_id(), 0622);
    auto refused = load_local_commands(m.memory, m.env.home);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("others than its owner may write it"));
    m.memory.set_rights(file, os::user_id() + 1, 0600);
    refused = load_local_commands(m.memory, m.env.home);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("belongs to user"));
    m.memory.set_rights(file, 0, 0644);
    EXPECT_TRUE(load_local_commands(m.memory, m.env.home));
}

TEST_F(with_commands, are_refused_from_a_file_that_is_damaged)
{
    for (const auto* text : {"{", "{\"commands\":[{\"name\":\"a\",\"run\":[]}]}", "{\"format\":2,\"commands\":[]}",
                             R"({"commands":[{"name":"a","run":["/a"],"time_limit":5}]})"}) {
        m.write(m.env.home.commands(), text);
        EXPECT_EQ(code_of(load_local_commands(m.memory, m.env.home)), "config-invalid") << text;
    }
    m.write(m.env.home.commands(), "{}");
    EXPECT_TRUE(load_local_commands(m.memory, m.env.home));
}

} // namespace
} // namespace xentz::agent
