#include "os/lock.hpp"

#include "fakes/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

namespace xentz::os {
namespace {

using base::fault_code;

std::string text_of(const std::filesystem::path& p)
{
    std::ifstream in{p};
    return {std::istreambuf_iterator<char>{in}, {}};
}

struct lock : testing::Test {
    fakes::scratch_folder folder;
    std::filesystem::path file = folder.path() / "run.lock";
};

TEST_F(lock, has_one_holder_and_says_who)
{
    auto first = try_lock(file, "backup, process 4711");
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(text_of(file), "backup, process 4711\n");
    const auto second = try_lock(file, "retention, process 4712");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, fault_code::run_locked);
    EXPECT_EQ(second.error().message, file.string() + " is held by backup, process 4711");
    EXPECT_FALSE(second.error().remedy.empty());
    EXPECT_EQ(text_of(file), "backup, process 4711\n");
}

TEST_F(lock, is_free_again_and_the_file_stays)
{
    ASSERT_TRUE(try_lock(file, "a very long name of the first holder"));
    EXPECT_TRUE(std::filesystem::exists(file));
    EXPECT_EQ(text_of(file), "");
    const auto again = try_lock(file, "short");
    ASSERT_TRUE(again);
    EXPECT_EQ(text_of(file), "short\n");
}

TEST_F(lock, names_nobody_where_the_holder_said_nothing)
{
    auto first = try_lock(file, "somebody");
    ASSERT_TRUE(first);
    std::filesystem::resize_file(file, 0);
    const auto second = try_lock(file, "other");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message, file.string() + " is held by another process");
}

TEST_F(lock, ends_with_a_killed_holder)
{
    int ready[2] = {-1, -1};
    ASSERT_EQ(::pipe(std::data(ready)), 0);
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const auto held = try_lock(file, "child");
        const char answer = held ? 'y' : 'n';
        if (::write(ready[1], &answer, 1) == 1) ::pause();
        ::_exit(1);
    }
    char answer = 0;
    ASSERT_EQ(::read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    const auto meanwhile = try_lock(file, "parent");
    ASSERT_FALSE(meanwhile);
    EXPECT_EQ(meanwhile.error().message, file.string() + " is held by child");
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(try_lock(file, "parent"));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(lock, is_not_inherited_by_programs)
{
    const auto held = try_lock(file, "parent");
    ASSERT_TRUE(held);
    // A program started now would show the lock's file among its own open ones if it had inherited it.
    const auto command = "for f in /proc/self/fd/*; do readlink \"$f\"; done | grep -q -F " + file.string();
    EXPECT_NE(std::system(command.c_str()), 0);
}

TEST_F(lock, a_missing_folder_is_a_fault)
{
    const auto lost = try_lock(folder.path() / "no" / "run.lock", "x");
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, fault_code::not_found);
}

} // namespace
} // namespace xentz::os
