// What is built on the seam, on a disk that forgets what was not synced.
#include "contract/os/files_support.hpp"
#include "fakes/memory_files.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace xentz::os {
namespace {

struct crash : testing::TestWithParam<fakes::survivors> {
    fakes::memory_files fs;
};

INSTANTIATE_TEST_SUITE_P(all, crash,
                         testing::Values(fakes::survivors::nothing, fakes::survivors::names,
                                         fakes::survivors::everything));

TEST_P(crash, write_atomic_leaves_the_old_or_the_new_bytes)
{
    bool ended = false;
    for (std::uint64_t n = 1; !ended; ++n) {
        fs.put("/d/state", "old");
        fs.power_off_at(n);
        const bool acknowledged = write_atomic(fs, "/d/state", "new").has_value();
        ended = fs.calls() < n;
        fs.restart(GetParam());
        const auto text = read_all(fs, "/d/state", 100).value();
        EXPECT_TRUE(text == "new" || (text == "old" && !acknowledged)) << "power off at call " << n << ": " << text;
        ASSERT_TRUE(remove_all(fs, "/d"));
    }
}

TEST_P(crash, write_atomic_of_several_files_leaves_the_old_or_the_new_bytes_in_each)
{
    bool ended = false;
    for (std::uint64_t n = 1; !ended; ++n) {
        fs.put("/d/state", "old");
        fs.put("/e/report", "old");
        fs.power_off_at(n);
        const bool acknowledged =
            write_atomic(fs, std::array{file_content{"/d/state", "new"}, file_content{"/e/report", "new"}}).has_value();
        ended = fs.calls() < n;
        fs.restart(GetParam());
        for (const auto* p : {"/d/state", "/e/report"}) {
            const auto text = read_all(fs, p, 100).value();
            EXPECT_TRUE(text == "new" || (text == "old" && !acknowledged)) << "power off at call " << n << ": " << text;
        }
        ASSERT_TRUE(remove_all(fs, "/d"));
        ASSERT_TRUE(remove_all(fs, "/e"));
    }
}

TEST_P(crash, a_new_file_and_its_folders_are_durable_once_acknowledged)
{
    bool ended = false;
    for (std::uint64_t n = 1; !ended; ++n) {
        fakes::memory_files disk;
        disk.power_off_at(n);
        const bool acknowledged = create_directories(disk, "/a/b/c") && write_atomic(disk, "/a/b/c/state", "new");
        ended = disk.calls() < n;
        disk.restart(GetParam());
        const auto text = read_all(disk, "/a/b/c/state", 100);
        EXPECT_TRUE(text ? *text == "new" : !acknowledged) << "power off at call " << n;
    }
}

TEST_P(crash, a_folder_whose_name_could_not_be_saved_is_made_again)
{
    for (std::uint64_t n = 1; n <= 8; ++n) {
        fakes::memory_files disk;
        disk.fail_at(n, fault_code::file_failed);
        static_cast<void>(create_directories(disk, "/a/b"));
        disk.heal();
        ASSERT_TRUE(create_directories(disk, "/a/b"));
        disk.restart(GetParam());
        EXPECT_TRUE(disk.info("/a/b")) << "failure at call " << n;
    }
}

TEST_P(crash, write_atomic_tidies_up_after_a_full_disk)
{
    for (std::uint64_t n = 1; n <= 4; ++n) {
        fakes::memory_files disk;
        disk.put("/d/state", "old");
        disk.fail_at(n, fault_code::disk_full);
        EXPECT_EQ(code(write_atomic(disk, "/d/state", "new")), fault_code::disk_full);
        EXPECT_EQ(disk.tree(), (std::map<std::string, std::string>{{"/d/state", "old"}})) << "failure at call " << n;
    }
}

} // namespace
} // namespace xentz::os
