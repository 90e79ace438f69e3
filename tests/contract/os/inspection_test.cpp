#include "fakes/scratch_folder.hpp"
#include "os/inspection.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace xentz::os {
namespace {

TEST(inspection, free_space_is_that_of_the_folders_disk)
{
    const fakes::scratch_folder folder;
    const auto free = free_bytes(folder.path());
    ASSERT_TRUE(free) << free.error().message;
    EXPECT_GT(*free, 0U);
    EXPECT_EQ(free_bytes(folder.path() / "none").error().code, base::fault_code::not_found);
    const auto full = free_bytes("/proc");
    ASSERT_TRUE(full);
    EXPECT_EQ(*full, 0U);
}

TEST(inspection, what_may_be_read)
{
    const fakes::scratch_folder folder;
    const auto file = folder.path() / "file";
    std::ofstream{file} << "x";
    EXPECT_EQ(may_read(folder.path()), readability::readable);
    EXPECT_EQ(may_read(file), readability::readable);
    EXPECT_EQ(may_read(file / "below"), readability::missing);
    EXPECT_EQ(may_read(folder.path() / "none"), readability::missing);
    std::filesystem::create_symlink(folder.path() / "none", folder.path() / "dangling");
    EXPECT_EQ(may_read(folder.path() / "dangling"), readability::missing);
    ASSERT_EQ(::chmod(file.c_str(), 0), 0);
    // Root may read everything.
    EXPECT_EQ(may_read(file), ::geteuid() == 0 ? readability::readable : readability::denied);
}

TEST(inspection, whose_it_is)
{
    const fakes::scratch_folder folder;
    EXPECT_TRUE(owned_by_this_user(folder.path()));
    EXPECT_FALSE(owned_by_this_user(folder.path() / "none"));
    EXPECT_EQ(owned_by_this_user("/"), ::geteuid() == 0);
}

} // namespace
} // namespace xentz::os
