// What a real child inherits: descriptors, priorities, a lock; and who is told of it.
#include "os/lock.hpp"
#include "os/process.hpp"

#include "fakes/scratch_folder.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <thread>

namespace xentz::os {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::vector<std::string> lines_of(const command& c, const process_limits& limits = {})
{
    std::vector<std::string> lines;
    const auto end = make_process_runner()->run(
        c, limits, {}, [&](std::string_view line) { lines.emplace_back(line); },
        [&](std::string_view line) { lines.push_back("stderr: " + std::string{line}); });
    if (!end) lines.push_back(end.error().message);
    return lines;
}

command shell(const std::string& script)
{
    return {.program = "/bin/sh", .args = {"-c", script}, .environment = {{"PATH", "/usr/bin:/bin"}}};
}

class an_heir : public testing::Test {
protected:
    int open_file(const std::string& name, const std::string& content)
    {
        std::ofstream{folder.path() / name} << content << "\n";
        return ::open((folder.path() / name).c_str(), O_RDONLY | O_CLOEXEC);
    }

    fakes::scratch_folder folder;
};

TEST_F(an_heir, has_the_named_descriptors_and_no_others)
{
    const int first = open_file("first", "one");
    const int other = open_file("other", "not for the child");
    const int second = open_file("second", "two");
    auto list = shell("ls /proc/self/fd");
    list.inherited = {second, first};
    EXPECT_THAT(lines_of(list), ElementsAre("0", "1", "2", "3", "4", "5")) << "5 is the folder that ls reads";
    auto read = shell("cat <&3; cat <&4");
    read.inherited = {second, first};
    EXPECT_THAT(lines_of(read), testing::UnorderedElementsAre("one", "two"));
    for (const int f : {first, other, second}) ::close(f);
}

TEST_F(an_heir, gets_descriptors_of_any_number)
{
    const int file = open_file("file", "high");
    const int high = ::fcntl(file, F_DUPFD_CLOEXEC, 200);
    ASSERT_GE(high, 200);
    ::lseek(high, 0, SEEK_SET);
    auto read = shell("cat <&3");
    read.inherited = {high};
    EXPECT_THAT(lines_of(read), ElementsAre("high"));
    EXPECT_GE(::fcntl(high, F_GETFD), 0) << "its own stays open";
    ::close(file);
    ::close(high);
}

TEST_F(an_heir, reads_and_writes_where_it_is_told_to)
{
    const int input = open_file("input", "what it reads");
    const auto target = folder.path() / "output";
    const int output = ::open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    auto copy = shell("cat; echo aside >&2");
    copy.input = input;
    copy.output = output;
    EXPECT_THAT(lines_of(copy), ElementsAre("stderr: aside"));
    std::string text;
    std::getline(std::ifstream{target}, text);
    EXPECT_EQ(text, "what it reads");
    ::close(input);
    ::close(output);
}

TEST_F(an_heir, that_exits_leaves_time_for_what_it_left_behind)
{
    const auto mark = folder.path() / "mark";
    auto leaves = shell("(while ! [ -e '" + mark.string() + ".go' ]; do sleep 0.01; done; touch '" + mark.string() +
                        "') & exit 3");
    int code = -1;
    const auto end = make_process_runner()->run(
        leaves,
        {.on_exit =
             [&](int c) {
                 code = c;
                 std::ofstream{mark.string() + ".go"};
                 while (!std::filesystem::exists(mark)) std::this_thread::sleep_for(1ms);
             }},
        {}, [](auto) {}, [](auto) {});
    ASSERT_TRUE(end);
    EXPECT_EQ(code, 3);
    EXPECT_TRUE(std::filesystem::exists(mark)) << "it was ended before";
    bool told = false;
    ASSERT_TRUE(make_process_runner()->run(
        shell("sleep 60"), {.longest = 10ms, .on_exit = [&](int) { told = true; }}, {}, [](auto) {}, [](auto) {}));
    EXPECT_FALSE(told) << "it did not end by itself";
}

TEST_F(an_heir, is_not_started_without_its_heritage)
{
    auto c = shell("echo started");
    c.inherited = {987};
    EXPECT_THAT(lines_of(c), ElementsAre(testing::StartsWith("cannot start /bin/sh: ")));
}

int io_priority_of_this_thread() { return static_cast<int>(::syscall(SYS_ioprio_get, 1, 0)); }

TEST_F(an_heir, has_priorities_of_its_own)
{
    struct expectation {
        priority cpu;
        priority disk;
        std::string nice;
        std::string scheduler; // 0 other, 5 idle
        std::string disk_class;
    };
    const auto before = ::getpriority(PRIO_PROCESS, 0);
    const auto disk_before = io_priority_of_this_thread();
    const std::vector<expectation> all{
        {priority::low, priority::low, "10", "0", "best-effort: prio 7"},
        {priority::idle, priority::idle, "19", "5", "idle"},
        {priority::normal, priority::idle, std::to_string(before), "0", "idle"},
        {priority::low, priority::normal, "10", "0", ""},
    };
    for (const auto& e : all) {
        // Fields 19 and 41 (proc(5)): nice, and the policy of the scheduler.
        auto c = shell("cut -d' ' -f19,41 /proc/$$/stat; ionice -p $$");
        c.cpu = e.cpu;
        c.disk = e.disk;
        const auto lines = lines_of(c);
        ASSERT_EQ(lines.size(), 2U);
        EXPECT_EQ(lines[0], e.nice + " " + e.scheduler);
        EXPECT_THAT(lines[1], testing::StartsWith(e.disk_class));
    }
    EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before) << "the parent keeps its own";
    EXPECT_EQ(io_priority_of_this_thread(), disk_before);
}

TEST_F(an_heir, is_announced_before_its_first_line)
{
    std::vector<std::string> events;
    const auto end = make_process_runner()->run(
        shell("echo $$"), {.on_start = [&](std::int64_t id) { events.push_back(std::to_string(id)); }}, {},
        [&](std::string_view line) { events.emplace_back(line); }, {});
    ASSERT_TRUE(end);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0], events[1]) << "the number by which the child knows itself";
}

TEST_F(an_heir, ends_with_the_exception_of_who_was_told)
{
    pid_t child = 0;
    const process_limits limits{.on_start = [&](std::int64_t id) {
        child = static_cast<pid_t>(id);
        throw std::runtime_error("no more");
    }};
    EXPECT_THROW(std::ignore = make_process_runner()->run(shell("sleep 300"), limits, {}, {}, {}), std::runtime_error);
    EXPECT_NE(::kill(child, 0), 0);
}

bool is_free(const std::filesystem::path& file) { return try_lock(file, "other").has_value(); }

TEST_F(an_heir, holds_a_lock_beyond_the_end_of_its_killed_parent)
{
    const auto file = folder.path() / "run.lock";
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    const auto parent = ::fork();
    ASSERT_GE(parent, 0);
    if (parent == 0) {
        const auto held = try_lock(file, "parent");
        auto c = shell("echo $$; exec sleep 300");
        c.inherited = {(*held)->descriptor()};
        const auto tell = [&](std::string_view line) {
            [[maybe_unused]] const auto written = ::write(ready[1], line.data(), line.size());
        };
        std::ignore = make_process_runner()->run(c, {}, {}, tell, {});
        ::_exit(0);
    }
    std::array<char, 32> text{};
    const auto got = ::read(ready[0], text.data(), text.size() - 1);
    ASSERT_GT(got, 0);
    const auto child = std::stoi(std::string{text.data(), static_cast<std::size_t>(got)});
    EXPECT_FALSE(is_free(file));
    ASSERT_EQ(::kill(parent, SIGKILL), 0);
    ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
    const auto meanwhile = try_lock(file, "other");
    ASSERT_FALSE(meanwhile) << "the child holds it";
    EXPECT_EQ(meanwhile.error().code, base::fault_code::run_locked);
    EXPECT_EQ(meanwhile.error().message, file.string() + " is held by parent");
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    for (int i = 0; i < 1'000 && !is_free(file); ++i) std::this_thread::sleep_for(10ms);
    EXPECT_TRUE(is_free(file)) << "nobody holds it any more";
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(an_heir, of_nothing_leaves_the_lock_to_its_parent)
{
    const auto file = folder.path() / "run.lock";
    auto held = try_lock(file, "parent");
    ASSERT_TRUE(held);
    auto c = shell("cat <&3 2>/dev/null; echo done");
    EXPECT_THAT(lines_of(c), testing::Contains("done"));
    held->reset();
    EXPECT_TRUE(is_free(file));
}

} // namespace
} // namespace xentz::os
