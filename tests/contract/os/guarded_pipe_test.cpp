// A pipe whose reader sees the end of the data only where that was meant. The readers are real processes.
#include "os/guarded_pipe.hpp"

#include "fakes/scratch_folder.hpp"
#include "os/process.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace xentz::os {
namespace {

using namespace std::chrono_literals;

struct a_guarded_pipe : testing::Test {
    fakes::scratch_folder folder;
    std::filesystem::path taken = folder.path() / "taken"; // what a reader leaves that saw the end
    std::unique_ptr<process_runner> runner = make_process_runner();

    // Reads to the end and then keeps what it read, as restic does.
    command keeper_of_what_it_reads(const guarded_pipe& pipe) const
    {
        return {.program = "/bin/sh",
                .args = {"-c", "cat > \"$0.part\" && mv \"$0.part\" \"$0\"", taken.string()},
                .environment = {{"PATH", "/usr/bin:/bin"}},
                .input = pipe.reader(),
                .group = pipe.group()};
    }
    process_end read_all(const guarded_pipe& pipe) { return run(keeper_of_what_it_reads(pipe)); }
    process_end run(const command& reader, std::stop_token stop = {})
    {
        const auto end = runner->run(reader, {.grace = 50ms}, std::move(stop), [](auto) {}, [](auto) {});
        EXPECT_TRUE(end);
        return end.value_or(process_end{});
    }
    std::string text() const
    {
        std::ifstream in{taken};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
};

TEST_F(a_guarded_pipe, ends_where_it_was_finished)
{
    auto pipe = make_guarded_pipe();
    ASSERT_TRUE(pipe);
    process_end end;
    std::jthread reader{[&, c = keeper_of_what_it_reads(**pipe)] { end = run(c); }};
    ASSERT_EQ(::write((*pipe)->writer(), "all of it", 9), 9);
    EXPECT_TRUE((*pipe)->finish());
    reader.join();
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_EQ(text(), "all of it");
}

TEST_F(a_guarded_pipe, does_not_end_where_a_writer_ends)
{
    auto pipe = make_guarded_pipe();
    ASSERT_TRUE(pipe);
    process_end end;
    std::stop_source stop;
    std::jthread reader{[&, c = keeper_of_what_it_reads(**pipe)] { end = run(c, stop.get_token()); }};
    const auto writer = runner->run(
        {.program = "/bin/echo", .args = {"half"}, .output = (*pipe)->writer()}, {}, {}, [](auto) {}, [](auto) {});
    ASSERT_TRUE(writer);
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(text(), "") << "the reader took the end of a writer for the end of the whole";
    stop.request_stop();
    reader.join();
    EXPECT_EQ(end.kind, process_end::how::cancelled);
    pipe->reset();
    EXPECT_EQ(text(), "");
}

TEST_F(a_guarded_pipe, kills_its_reader_where_it_is_given_up)
{
    auto pipe = make_guarded_pipe();
    ASSERT_TRUE(pipe);
    process_end end;
    std::jthread reader{[&, c = keeper_of_what_it_reads(**pipe)] { end = run(c); }};
    ASSERT_EQ(::write((*pipe)->writer(), "half", 4), 4);
    std::this_thread::sleep_for(100ms);
    pipe->reset();
    reader.join();
    EXPECT_EQ(end.signal, SIGKILL);
    EXPECT_EQ(text(), "");
}

TEST_F(a_guarded_pipe, kills_its_reader_where_its_process_is_killed)
{
    const auto ready = folder.path() / "ready";
    const pid_t parent = ::fork();
    ASSERT_GE(parent, 0);
    if (parent == 0) {
        auto pipe = make_guarded_pipe();
        if (!pipe || ::write((*pipe)->writer(), "half", 4) != 4) ::_exit(1);
        std::jthread reader{[&] { read_all(**pipe); }};
        while (!std::filesystem::exists(taken.string() + ".part")) std::this_thread::sleep_for(1ms);
        std::ofstream{ready} << (*pipe)->group();
        std::ofstream{ready.string() + ".done"};
        for (;;) ::pause();
    }
    while (!std::filesystem::exists(ready.string() + ".done")) std::this_thread::sleep_for(1ms);
    pid_t group = 0;
    std::ifstream{ready} >> group;
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    const auto until = std::chrono::steady_clock::now() + 30s;
    // Orphans are waited for by somebody else; until then a zombie counts as there.
    const auto gone = [&] {
        std::ifstream status{"/proc/" + std::to_string(group) + "/stat"};
        std::string id, name, state;
        return !(status >> id >> name >> state) || state == "Z";
    };
    while (!gone() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(5ms);
    EXPECT_TRUE(gone()) << "the keeper outlived its process";
    std::this_thread::sleep_for(100ms);
    EXPECT_FALSE(std::filesystem::exists(taken)) << "half of the data was taken for all of it";
}

TEST_F(a_guarded_pipe, may_be_finished_before_its_reader_starts)
{
    auto pipe = make_guarded_pipe();
    ASSERT_TRUE(pipe);
    EXPECT_FALSE((*pipe)->wait_for_data(10ms));
    ASSERT_EQ(::write((*pipe)->writer(), "quick", 5), 5);
    EXPECT_TRUE((*pipe)->wait_for_data(0ms));
    ASSERT_TRUE((*pipe)->finish());
    EXPECT_EQ(read_all(**pipe).exit_code, 0);
    EXPECT_EQ(text(), "quick");
}

TEST_F(a_guarded_pipe, says_where_somebody_else_keeps_it_open)
{
    auto pipe = make_guarded_pipe();
    ASSERT_TRUE(pipe);
    const int other = ::dup((*pipe)->writer());
    const auto finished = (*pipe)->finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code, base::fault_code::conflict);
    ::close(other);
}

} // namespace
} // namespace xentz::os
