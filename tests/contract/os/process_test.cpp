// The process runner with real children.
#include "os/process.hpp"

#include "fakes/scratch_folder.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace xentz::os {
namespace {

using namespace std::chrono_literals;
using base::fault_code;
using how = process_end::how;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

struct outcome {
    base::result<process_end> end;
    std::vector<std::string> out;
    std::vector<std::string> err;
    std::chrono::milliseconds took{};
};

class a_child : public testing::Test {
protected:
    void TearDown() override
    {
        EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
        EXPECT_EQ(errno, ECHILD);
    }

    static command shell(const std::string& script)
    {
        return {.program = "/bin/sh", .args = {"-c", script}, .environment = {{"PATH", "/usr/bin:/bin"}}};
    }

    outcome run(const command& c, const process_limits& limits = {}, std::stop_token stop = {})
    {
        outcome o;
        const auto begin = std::chrono::steady_clock::now();
        o.end = runner->run(
            c, limits, std::move(stop), [&](std::string_view line) { o.out.emplace_back(line); },
            [&](std::string_view line) { o.err.emplace_back(line); });
        o.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
        return o;
    }

    std::unique_ptr<process_runner> runner = make_process_runner();
};

bool runs(pid_t pid)
{
    std::ifstream status{"/proc/" + std::to_string(pid) + "/stat"};
    std::string number;
    std::string name;
    std::string state;
    return status >> number >> name >> state && state != "Z";
}

bool ends_soon(pid_t pid)
{
    for (int i = 0; i < 500 && runs(pid); ++i) std::this_thread::sleep_for(10ms);
    return !runs(pid);
}

TEST_F(a_child, gives_its_lines_and_its_exit_code)
{
    const auto o = run(shell(R"(echo one; echo two >&2; printf 'three\r\n\nfour'; exit 3)"));
    ASSERT_TRUE(o.end);
    EXPECT_EQ(o.end->kind, how::exited);
    EXPECT_EQ(o.end->exit_code, 3);
    EXPECT_EQ(o.end->signal, 0);
    EXPECT_THAT(o.out, ElementsAre("one", "three", "", "four"));
    EXPECT_THAT(o.err, ElementsAre("two"));
    EXPECT_EQ(run(shell("exit 0")).end->exit_code, 0);
}

TEST_F(a_child, may_write_lines_of_megabytes)
{
    const auto o = run(shell("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end"));
    ASSERT_EQ(o.out.size(), 2U);
    EXPECT_EQ(o.out[0], std::string(3'000'000, 'x'));
    EXPECT_EQ(o.out[1], "end");
}

TEST_F(a_child, has_longer_lines_cut)
{
    const auto o =
        run(shell("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo short; echo exactly10; printf 0123456789abc"),
            {.longest_line = 10});
    EXPECT_THAT(o.out, ElementsAre("xxxxxxxxxx", "short", "exactly10", "0123456789"));
}

TEST_F(a_child, may_fill_both_pipes)
{
    const auto o = run(shell("i=0; while [ $i -lt 200 ]; do head -c 20000 /dev/zero | tr '\\0' e >&2; echo >&2; "
                             "head -c 20000 /dev/zero | tr '\\0' o; echo; i=$((i+1)); done"));
    EXPECT_EQ(o.end->exit_code, 0);
    EXPECT_EQ(o.out.size(), 200U);
    EXPECT_EQ(o.err.size(), 200U);
    EXPECT_EQ(o.err[199], std::string(20'000, 'e'));
}

TEST_F(a_child, is_heard_while_it_runs)
{
    std::atomic<bool> heard = false;
    std::stop_source stop;
    const auto end = runner->run(shell("echo ready; sleep 60"), {}, stop.get_token(),
                                 [&](std::string_view) {
                                     heard = true;
                                     stop.request_stop();
                                 },
                                 {});
    ASSERT_TRUE(end);
    EXPECT_TRUE(heard);
    EXPECT_EQ(end->kind, how::cancelled);
}

TEST_F(a_child, that_dies_of_a_signal_names_it)
{
    const auto o = run(shell("echo last; kill -SEGV $$"));
    ASSERT_TRUE(o.end);
    EXPECT_EQ(o.end->kind, how::killed);
    EXPECT_EQ(o.end->signal, SIGSEGV);
    EXPECT_EQ(o.end->exit_code, -1);
    EXPECT_THAT(o.out, ElementsAre("last"));
}

TEST_F(a_child, that_takes_too_long_is_interrupted)
{
    const auto o = run(shell("sleep 60"), {.longest = 200ms});
    ASSERT_TRUE(o.end);
    EXPECT_EQ(o.end->kind, how::timed_out);
    EXPECT_EQ(o.end->signal, SIGINT);
    EXPECT_GE(o.took, 200ms);
    EXPECT_LT(o.took, 20s);
}

TEST_F(a_child, may_tidy_up_when_interrupted_and_goes_on_being_heard)
{
    // More than a pipe holds: it would block for ever if nobody read.
    const auto o = run(shell("trap 'head -c 1000000 /dev/zero | tr \"\\0\" x; echo; echo tidy; exit 130' INT; "
                             "echo ready; while :; do sleep 0.05; done"),
                       {.longest = 500ms});
    ASSERT_TRUE(o.end);
    EXPECT_EQ(o.end->kind, how::timed_out);
    EXPECT_EQ(o.end->exit_code, 130);
    ASSERT_EQ(o.out.size(), 3U);
    EXPECT_EQ(o.out[1].size(), 1'000'000U);
    EXPECT_EQ(o.out[2], "tidy");
}

TEST_F(a_child, that_ignores_the_interrupt_is_killed_after_the_grace)
{
    const auto o = run(shell("trap '' INT; while :; do sleep 0.05; echo on; done"), {.longest = 200ms, .grace = 500ms});
    ASSERT_TRUE(o.end);
    EXPECT_EQ(o.end->kind, how::timed_out);
    EXPECT_EQ(o.end->signal, SIGKILL);
    EXPECT_GE(o.took, 700ms);
    EXPECT_LT(o.took, 20s);
    EXPECT_GT(o.out.size(), 5U) << "heard during the grace, too";
}

TEST_F(a_child, is_interrupted_by_a_stop_request_from_another_thread)
{
    std::stop_source stop;
    const std::jthread later{[&] {
        std::this_thread::sleep_for(200ms);
        stop.request_stop();
    }};
    const auto o = run(shell("trap 'exit 9' INT; while :; do sleep 0.05; done"), {}, stop.get_token());
    ASSERT_TRUE(o.end);
    EXPECT_EQ(o.end->kind, how::cancelled);
    EXPECT_EQ(o.end->exit_code, 9);
}

TEST_F(a_child, is_not_started_after_a_stop_request)
{
    const fakes::scratch_folder scratch;
    std::stop_source stop;
    stop.request_stop();
    const auto o = run(shell("echo > " + (scratch.path() / "started").string()), {}, stop.get_token());
    ASSERT_TRUE(o.end);
    EXPECT_EQ(o.end->kind, how::cancelled);
    EXPECT_FALSE(std::filesystem::exists(scratch.path() / "started"));
}

TEST_F(a_child, takes_its_children_with_it)
{
    const auto o = run(shell("sleep 300 & echo $!; exit 0"));
    EXPECT_EQ(o.end->exit_code, 0);
    EXPECT_LT(o.took, 1900ms) << "the grandchild holds the pipe until it is killed";
    ASSERT_EQ(o.out.size(), 1U);
    EXPECT_TRUE(ends_soon(std::stoi(o.out[0])));
}

TEST_F(a_child, takes_its_children_with_it_when_it_is_killed)
{
    const auto o = run(shell("trap '' INT; (trap '' INT; sleep 300) & echo $!; wait; sleep 300"),
                       {.longest = 200ms, .grace = 200ms});
    EXPECT_EQ(o.end->signal, SIGKILL);
    ASSERT_EQ(o.out.size(), 1U);
    EXPECT_TRUE(ends_soon(std::stoi(o.out[0])));
}

TEST_F(a_child, is_not_waited_for_where_a_process_that_left_its_group_holds_the_pipe)
{
    const auto o = run(shell("setsid sh -c 'echo $$; exec sleep 60' & sleep 0.5; exit 4"));
    EXPECT_EQ(o.end->exit_code, 4);
    EXPECT_LT(o.took, 30s);
    ASSERT_EQ(o.out.size(), 1U);
    const auto pid = std::stoi(o.out[0]);
    EXPECT_TRUE(runs(pid));
    ::kill(pid, SIGKILL);
}

TEST_F(a_child, may_close_its_output_and_go_on)
{
    const auto o = run(shell("exec >&- 2>&-; sleep 0.3; exit 5"));
    EXPECT_EQ(o.end->exit_code, 5);
    EXPECT_GE(o.took, 300ms);
}

TEST_F(a_child, that_cannot_be_started_is_named)
{
    const fakes::scratch_folder scratch;
    const auto missing = run({.program = "/nonexistent/restic"});
    ASSERT_FALSE(missing.end);
    EXPECT_EQ(missing.end.error().code, fault_code::file_failed);
    EXPECT_THAT(missing.end.error().message, HasSubstr("/nonexistent/restic"));
    const auto plain = scratch.path() / "plain";
    std::ofstream{plain} << "no program";
    const auto refused = run({.program = plain});
    ASSERT_FALSE(refused.end);
    EXPECT_EQ(refused.end.error().code, fault_code::file_failed);
    auto elsewhere = shell("exit 0");
    elsewhere.directory = "/nonexistent/folder";
    const auto nowhere = run(elsewhere);
    ASSERT_FALSE(nowhere.end);
    EXPECT_THAT(nowhere.end.error().message, HasSubstr("/nonexistent/folder"));
}

TEST_F(a_child, has_only_the_environment_it_was_given)
{
    ::setenv("XENTZ_LEAK", "secret", 1);
    const auto o = run({.program = "/usr/bin/env", .environment = {{"A", "1"}, {"B", "two words=\"x\""}}});
    EXPECT_THAT(o.out, UnorderedElementsAre("A=1", "B=two words=\"x\""));
    ::unsetenv("XENTZ_LEAK");
}

TEST_F(a_child, gets_its_arguments_as_they_are)
{
    const auto o = run({.program = "/usr/bin/printf", .args = {"%s|", "", "a b", "$HOME", "--", "'\"\\"}});
    EXPECT_THAT(o.out, ElementsAre("|a b|$HOME|--|'\"\\|"));
}

TEST_F(a_child, has_no_descriptors_but_its_own)
{
    const int leak = ::open("/etc/passwd", O_RDONLY); // NOLINT: without O_CLOEXEC on purpose
    ASSERT_GE(leak, 0);
    const auto o = run({.program = "/bin/ls", .args = {"/proc/self/fd"}});
    EXPECT_THAT(o.out, ElementsAre("0", "1", "2", "3")) << "3 is the folder that ls reads";
    EXPECT_THAT(run({.program = "/usr/bin/readlink", .args = {"/proc/self/fd/0"}}).out, ElementsAre("/dev/null"));
    ::close(leak);
}

TEST_F(a_child, runs_in_its_own_group_and_folder)
{
    auto c = shell("echo $$; cut -d' ' -f5 /proc/$$/stat; pwd");
    c.directory = "/usr";
    const auto o = run(c);
    ASSERT_EQ(o.out.size(), 3U);
    EXPECT_EQ(o.out[0], o.out[1]);
    EXPECT_EQ(o.out[2], "/usr");
}

TEST_F(a_child, has_all_signals_as_they_are_by_default)
{
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigset_t previous;
    ::pthread_sigmask(SIG_BLOCK, &blocked, &previous);
    const auto o = run({.program = "/bin/grep", .args = {"-E", "^Sig(Blk|Ign)", "/proc/self/status"}});
    ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    ::signal(SIGPIPE, before);
    ASSERT_EQ(o.out.size(), 2U);
    EXPECT_EQ(o.out[0], "SigBlk:\t0000000000000000");
    // 32 and 33 are glibc's own, which posix_spawn leaves ignored.
    constexpr auto signals_of_all = 0x7fffffffULL;
    EXPECT_EQ(std::stoull(o.out[1].substr(8), nullptr, 16) & signals_of_all, 0U) << o.out[1];
}

TEST_F(a_child, ends_with_the_exception_of_its_listener)
{
    pid_t pid = 0;
    const auto listen = [&](std::string_view line) {
        pid = std::stoi(std::string{line});
        throw std::runtime_error("no more");
    };
    EXPECT_THROW(std::ignore = runner->run(shell("echo $$; sleep 300"), {}, {}, listen, {}), std::runtime_error);
    EXPECT_FALSE(runs(pid));
}

TEST_F(a_child, may_be_one_of_many)
{
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 20; ++i) {
                    const auto word = std::to_string(t) + "-" + std::to_string(i);
                    const auto o = run(shell("echo " + word + "; exit 6"));
                    if (o.end && o.end->exit_code == 6 && o.out == std::vector<std::string>{word}) ++good;
                }
            });
        }
    }
    EXPECT_EQ(good, 80);
}

TEST(find_program, takes_the_first_executable_file)
{
    const fakes::scratch_folder scratch;
    for (const auto* folder : {"a", "b", "c"}) std::filesystem::create_directory(scratch.path() / folder);
    const auto in = [&](const char* folder) { return (scratch.path() / folder).string(); };
    std::ofstream{in("a") + "/tool"} << "not executable";
    std::filesystem::create_directory(scratch.path() / "b" / "tool");
    std::ofstream{in("c") + "/tool"} << "#!/bin/sh\n";
    const auto search_path = ":relative:" + in("a") + ":" + in("b") + ":/nonexistent:" + in("c") + ":";
    EXPECT_FALSE(find_program("tool", search_path));
    std::filesystem::permissions(scratch.path() / "c" / "tool", std::filesystem::perms::owner_all);
    EXPECT_EQ(find_program("tool", search_path).value_or(""), scratch.path() / "c" / "tool");
    std::filesystem::permissions(scratch.path() / "a" / "tool", std::filesystem::perms::owner_all);
    EXPECT_EQ(find_program("tool", search_path).value_or(""), scratch.path() / "a" / "tool");
}

TEST(find_program, names_what_it_did_not_find)
{
    for (const auto* search_path : {"", "/nonexistent", "."}) {
        const auto found = find_program("no-such-program", search_path);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, fault_code::not_found);
        EXPECT_THAT(found.error().message, HasSubstr("no-such-program"));
    }
    EXPECT_FALSE(find_program("", "/usr/bin"));
}

} // namespace
} // namespace xentz::os
