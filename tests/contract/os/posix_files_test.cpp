// What only the real file system has.
#include "contract/os/files_support.hpp"
#include "fakes/scratch_folder.hpp"
#include "os/posix_fault.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <set>

namespace xentz::os {
namespace {

struct real_files : testing::Test {
    std::unique_ptr<files> fs = make_files();
    fakes::scratch_folder folder;
    path root = folder.path();
};

TEST_F(real_files, symlinks_are_seen_and_not_followed)
{
    ASSERT_TRUE(fs->create_directory(root / "kept"));
    write_file(*fs, root / "kept" / "a", "x");
    ASSERT_TRUE(fs->create_directory(root / "gone"));
    std::filesystem::create_symlink(root / "kept", root / "gone" / "link");
    EXPECT_EQ(fs->info(root / "gone" / "link")->kind, file_kind::symlink);
    ASSERT_TRUE(create_directories(*fs, root / "gone" / "link"));
    ASSERT_TRUE(remove_all(*fs, root / "gone"));
    EXPECT_EQ(read_all(*fs, root / "kept" / "a", 1).value(), "x");
    EXPECT_EQ(names(*fs, root), std::set<std::string>{"kept"});
}

TEST_F(real_files, a_pipe_is_another_kind)
{
    ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
    ASSERT_TRUE(fs->list(root, [](const directory_entry& e) {
        EXPECT_EQ(e.kind, file_kind::other);
        return true;
    }));
}

TEST_F(real_files, info_tells_when_it_was_written)
{
    write_file(*fs, root / "a", "x");
    const timespec times[] = {{0, UTIME_OMIT}, {1'700'000'000, 123'456'789}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root / "a").c_str(), std::data(times), 0), 0);
    EXPECT_EQ(fs->info(root / "a")->modified.time_since_epoch(), std::chrono::microseconds{1'700'000'000'123'456});
}

TEST_F(real_files, a_file_sends_itself_into_a_socket_and_survives_that_nobody_reads)
{
    write_file(*fs, root / "a", "0123456789");
    const auto file = fs->open(root / "a").value();
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    EXPECT_EQ(file->send_to(ends[0], 3, 5).value(), 5U);
    std::array<char, 16> got{};
    EXPECT_EQ(::read(ends[1], got.data(), got.size()), 5);
    EXPECT_EQ((std::string_view{got.data(), 5}), "34567");
    EXPECT_EQ(file->send_to(ends[0], 8, 100).value(), 2U);
    EXPECT_EQ(file->send_to(ends[0], 10, 100).value(), 0U) << "the end";
    while (file->send_to(ends[0], 0, 10).value() > 0U) {
    }
    EXPECT_EQ(file->send_to(ends[0], 0, 10).value(), 0U) << "it takes no more";
    ::close(ends[1]);
    EXPECT_EQ(file->send_to(ends[0], 0, 10).value(), 0U) << "and no signal ends the process";
    ::close(ends[0]);
}

TEST_F(real_files, a_full_disk_says_so_and_what_to_do)
{
    const auto full = posix_fault("write", "/srv/a", ENOSPC);
    EXPECT_EQ(full.code, fault_code::disk_full);
    EXPECT_EQ(base::sentence(full),
              "cannot write /srv/a: No space left on device. Free some space on the disk that holds it.");
    EXPECT_EQ(posix_fault("write", "/srv/a", EDQUOT).code, fault_code::disk_full);
}

TEST_F(real_files, a_write_that_stops_half_way_is_a_fault)
{
    auto f = fs->create(root / "a");
    ASSERT_TRUE(f);
    const auto before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    const rlimit small{1000, old.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = (*f)->write(std::string(2000, 'x'));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    std::signal(SIGXFSZ, before);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, fault_code::file_failed);
    EXPECT_EQ(written.error().message, "cannot write " + (root / "a").string() + ": File too large");
}

TEST_F(real_files, what_it_opens_is_not_inherited)
{
    write_file(*fs, root / "a", "x");
    const auto open_files = [] {
        std::set<int> out;
        for (int fd = 0; fd < 256; ++fd)
            if (::fcntl(fd, F_GETFD) >= 0) out.insert(fd);
        return out;
    };
    const auto before = open_files();
    const auto in = fs->open(root / "a");
    const auto out = fs->create(root / "b");
    const auto list = fs->open_directory(root);
    int opened = 0;
    for (const int fd : open_files()) {
        if (before.contains(fd)) continue;
        ++opened;
        EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << fd;
    }
    EXPECT_EQ(opened, 3);
}

TEST_F(real_files, faults_name_the_path_and_the_cause)
{
    const auto missing = fs->open(root / "no");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().message, "cannot open " + (root / "no").string() + ": No such file or directory");
    const auto loop = root / "loop";
    std::filesystem::create_symlink(loop, loop);
    EXPECT_EQ(code(fs->open(loop)), fault_code::file_failed);
}

} // namespace
} // namespace xentz::os
