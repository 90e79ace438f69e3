// Holes and counts on a real file system.
#include "restic/sparse.hpp"

#include "fakes/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <random>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace xentz::restic {
namespace {

constexpr std::size_t kib = 1024;
constexpr file_instant long_ago{};

std::string content_of(const std::filesystem::path& p)
{
    std::ifstream in{p, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void write(const std::filesystem::path& p, const std::string& content)
{
    std::ofstream{p, std::ios::binary} << content;
}

struct ::stat info_of(const std::filesystem::path& p)
{
    struct ::stat info{};
    EXPECT_EQ(::lstat(p.c_str(), &info), 0) << p;
    return info;
}

std::size_t allocated(const std::filesystem::path& p)
{
    // Some file systems allocate when they write, not when they are asked to.
    const auto file = ::open(p.c_str(), O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        ::fsync(file);
        ::close(file);
    }
    return static_cast<std::size_t>(info_of(p).st_blocks) * 512;
}

std::string data(std::size_t size) { return std::string(size, 'x'); }
std::string zeros(std::size_t size) { return std::string(size, '\0'); }

class a_tree : public testing::Test {
protected:
    std::filesystem::path file(const std::string& name, const std::string& content) const
    {
        const auto p = scratch.path() / name;
        write(p, content);
        allocated(p);
        return p;
    }

    fakes::scratch_folder scratch;
};

TEST_F(a_tree, gets_holes_where_zeros_were)
{
    const auto content = data(100) + zeros(512 * kib) + data(64 * kib) + zeros(256 * kib);
    const auto p = file("disk.img", content);
    const auto before = allocated(p);
    ASSERT_GE(before, content.size());
    const auto freed = punch_holes(scratch.path(), long_ago);
    EXPECT_GE(freed, 700 * kib);
    EXPECT_LE(freed, 768 * kib);
    EXPECT_LE(allocated(p), before - 700 * kib);
    EXPECT_EQ(content_of(p), content);
    EXPECT_EQ(punch_holes(scratch.path(), long_ago), 0U) << "it has its holes now";
}

// What --sparse of restic leaves: it knows whole chunks only.
TEST_F(a_tree, gets_the_holes_that_a_file_lacks_besides_those_it_has)
{
    const auto content = zeros(1024 * kib) + data(4 * kib) + zeros(256 * kib) + data(4 * kib);
    const auto p = file("disk.img", content);
    const auto fd = ::open(p.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 512 * kib), 0);
    ::close(fd);
    EXPECT_EQ(punch_holes(scratch.path(), long_ago), (512 + 256) * kib);
    EXPECT_EQ(content_of(p), content);
    EXPECT_LE(allocated(p), 64 * kib);
}

// Wherever the runs lie and however long they are: by the rule of the header, computed the plain way.
TEST_F(a_tree, gets_a_hole_for_each_run_that_is_long_enough_and_no_other)
{
    std::mt19937 random{20'261'124};
    for (int round = 0; round < 60; ++round) {
        std::string content;
        while (content.size() < 600 * kib) {
            content += data(1 + random() % (random() % 2 == 0 ? 3 * kib : 90 * kib));
            content += zeros(1 + random() % (random() % 2 == 0 ? 8 * kib : 150 * kib));
        }
        std::size_t expected = 0, run = 0;
        for (std::size_t at = 0; at <= content.size(); at += 4 * kib) {
            const auto piece = at < content.size() ? std::string_view{content}.substr(at, 4 * kib) : "x";
            if (piece.find_first_not_of('\0') == std::string_view::npos)
                run += 4 * kib;
            else if (const auto ended = std::exchange(run, 0); ended >= 64 * kib)
                expected += ended;
        }
        if (run >= 64 * kib) expected += run;
        const auto p = file("random", content);
        ASSERT_EQ(punch_holes(scratch.path(), long_ago), expected) << "round " << round;
        ASSERT_EQ(content_of(p), content);
        std::filesystem::remove(p);
    }
}

TEST_F(a_tree, gets_a_hole_up_to_the_end_of_a_file_that_ends_within_a_block)
{
    const auto content = data(4 * kib) + zeros(300 * kib + 17);
    const auto p = file("odd", content);
    EXPECT_EQ(punch_holes(scratch.path(), long_ago), 304 * kib);
    EXPECT_EQ(content_of(p), content);
    EXPECT_EQ(std::filesystem::file_size(p), content.size());
    const auto empty = file("all zeros", zeros(5'000'000));
    punch_holes(scratch.path(), long_ago);
    EXPECT_LE(allocated(empty), 64 * kib);
    EXPECT_EQ(content_of(empty), zeros(5'000'000));
}

TEST_F(a_tree, keeps_short_runs_and_small_files_whole)
{
    file("short", data(64 * kib) + zeros(60 * kib) + data(64 * kib));
    file("across", data(64 * kib + 1) + zeros(66 * kib) + data(64 * kib));
    file("small", zeros(127 * kib));
    EXPECT_EQ(punch_holes(scratch.path(), long_ago), 0U);
}

TEST_F(a_tree, keeps_times_and_modes)
{
    const auto p = file("program", data(4 * kib) + zeros(256 * kib));
    ASSERT_EQ(::chmod(p.c_str(), 04551), 0);
    const std::array<timespec, 2> times{timespec{.tv_sec = 1'000'000'000, .tv_nsec = 123'456'789},
                                        timespec{.tv_sec = 1'100'000'000, .tv_nsec = 987'654'321}};
    ASSERT_EQ(::utimensat(AT_FDCWD, p.c_str(), times.data(), 0), 0);
    EXPECT_GT(punch_holes(scratch.path(), long_ago), 0U);
    const auto after = info_of(p);
    EXPECT_EQ(after.st_mode & 07777U, 04551U);
    EXPECT_EQ(after.st_atim.tv_sec, 1'000'000'000);
    EXPECT_EQ(after.st_atim.tv_nsec, 123'456'789);
    EXPECT_EQ(after.st_mtim.tv_sec, 1'100'000'000);
    EXPECT_EQ(after.st_mtim.tv_nsec, 987'654'321);
}

TEST_F(a_tree, keeps_attributes)
{
    const auto p = file("program", data(4 * kib) + zeros(256 * kib));
    ASSERT_EQ(::setxattr(p.c_str(), "user.note", "kept", 4, 0), 0);
    // cap_net_bind_service+ep, revision 2. Only root may set it.
    constexpr std::array<unsigned char, 20> capability{1, 0, 0, 2, 0, 4};
    const bool set = ::setxattr(p.c_str(), "security.capability", capability.data(), capability.size(), 0) == 0;
    EXPECT_EQ(set, ::geteuid() == 0);
    EXPECT_GT(punch_holes(scratch.path(), long_ago), 0U);
    std::array<char, 4> note{};
    EXPECT_EQ(::getxattr(p.c_str(), "user.note", note.data(), note.size()), 4);
    EXPECT_EQ(std::string(note.data(), note.size()), "kept");
    std::array<unsigned char, 20> after{};
    const auto size = ::getxattr(p.c_str(), "security.capability", after.data(), after.size());
    EXPECT_EQ(size == 20, set);
    if (set) {
        EXPECT_EQ(after, capability);
    }
}

TEST_F(a_tree, gets_holes_in_files_that_their_owner_may_not_open)
{
    const auto content = data(4 * kib) + zeros(256 * kib);
    // Root may open everything: what is tested is a user without that privilege.
    constexpr uid_t nobody = 65534;
    const bool is_root = ::geteuid() == 0;
    if (is_root) {
        ASSERT_EQ(::chown(scratch.path().c_str(), nobody, nobody), 0);
    }
    std::thread{[&] {
        if (is_root) ::setfsuid(nobody);
        for (const mode_t mode : {0444U, 0200U, 0U}) {
            const auto p = file("mode " + std::to_string(mode), content);
            EXPECT_EQ(::chmod(p.c_str(), mode), 0);
        }
        EXPECT_EQ(punch_holes(scratch.path(), long_ago), 3 * 256 * kib);
    }}.join();
    for (const mode_t mode : {0444U, 0200U, 0U}) {
        const auto p = scratch.path() / ("mode " + std::to_string(mode));
        EXPECT_EQ(info_of(p).st_mode & 07777U, mode);
        ASSERT_EQ(::chmod(p.c_str(), 0600), 0);
        EXPECT_EQ(content_of(p), content);
    }
}

TEST_F(a_tree, is_left_by_no_link)
{
    const fakes::scratch_folder elsewhere;
    write(elsewhere.path() / "file", zeros(256 * kib));
    const auto before = allocated(elsewhere.path() / "file");
    std::filesystem::create_symlink(elsewhere.path() / "file", scratch.path() / "to file");
    std::filesystem::create_directory_symlink(elsewhere.path(), scratch.path() / "to folder");
    EXPECT_EQ(punch_holes(scratch.path(), long_ago), 0U);
    EXPECT_EQ(allocated(elsewhere.path() / "file"), before);
    EXPECT_EQ(count_changed(scratch.path(), long_ago).entries, 2U);
    EXPECT_EQ(count_changed(scratch.path(), long_ago).bytes, 0U);
}

TEST_F(a_tree, is_walked_to_its_depth)
{
    auto folder = scratch.path();
    for (int i = 0; i < 40; ++i) {
        folder /= "deeper";
        std::filesystem::create_directory(folder);
    }
    write(folder / "file", zeros(256 * kib));
    allocated(folder / "file");
    EXPECT_EQ(punch_holes(scratch.path(), long_ago), 256 * kib);
    EXPECT_EQ(count_changed(scratch.path(), long_ago).entries, 41U);
}

TEST_F(a_tree, is_counted_with_every_name_but_no_byte_twice)
{
    file("a", data(1'000));
    std::filesystem::create_hard_link(scratch.path() / "a", scratch.path() / "b");
    std::filesystem::create_directory(scratch.path() / "folder");
    file("folder/c", data(234));
    std::filesystem::create_symlink("a", scratch.path() / "link");
    const auto total = count_changed(scratch.path(), long_ago);
    EXPECT_EQ(total.entries, 5U);
    EXPECT_EQ(total.bytes, 1'234U);
}

TEST_F(a_tree, keeps_what_was_there_before)
{
    const auto old = file("old", zeros(256 * kib));
    const auto changed = info_of(old).st_ctim;
    const file_instant since{std::chrono::seconds{changed.tv_sec} + std::chrono::nanoseconds{changed.tv_nsec + 1}};
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    const auto fresh = file("fresh", zeros(256 * kib));
    EXPECT_EQ(punch_holes(scratch.path(), since), 256 * kib);
    EXPECT_GE(allocated(old), 256 * kib);
    EXPECT_LT(allocated(fresh), 64 * kib);
    EXPECT_EQ(count_changed(scratch.path(), since).entries, 1U);
}

TEST(a_missing_tree, has_nothing)
{
    EXPECT_EQ(punch_holes("/nonexistent", long_ago), 0U);
    EXPECT_EQ(count_changed("/nonexistent", long_ago).entries, 0U);
}

} // namespace
} // namespace xentz::restic
