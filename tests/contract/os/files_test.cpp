#include "os/files.hpp"

#include "fakes/memory_files.hpp"
#include "fakes/scratch_folder.hpp"
#include "os/posix_fault.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>

namespace xentz::os {
namespace {

using base::fault_code;

struct place {
    virtual ~place() = default;
    virtual files& fs() = 0;
    virtual path root() = 0;
};

struct real_place final : place {
    std::unique_ptr<files> fs_ = make_files();
    fakes::scratch_folder folder;
    files& fs() override { return *fs_; }
    path root() override { return folder.path(); }
};

struct memory_place final : place {
    fakes::memory_files fs_;
    memory_place() { EXPECT_TRUE(fs_.create_directory("/root")); }
    files& fs() override { return fs_; }
    path root() override { return "/root"; }
};

struct kind {
    std::string name;
    std::unique_ptr<place> (*make)();
};

std::span<const char> bytes(std::string_view text) { return {text.data(), text.size()}; }

template <class T>
fault_code code(const result<T>& r)
{
    return r ? fault_code::internal : r.error().code;
}

void write_file(files& fs, const path& p, std::string_view text)
{
    auto f = fs.create(p);
    ASSERT_TRUE(f) << f.error().message;
    ASSERT_TRUE((*f)->write(bytes(text)));
}

std::set<std::string> names(files& fs, const path& p)
{
    std::set<std::string> out;
    EXPECT_TRUE(fs.list(p, [&](const directory_entry& e) { return out.insert(e.name).second; }));
    return out;
}

class files_suite : public testing::TestWithParam<kind> {
protected:
    std::unique_ptr<place> place_ = GetParam().make();
    files& fs = place_->fs();
    path root = place_->root();
};

INSTANTIATE_TEST_SUITE_P(
    all, files_suite,
    testing::Values(kind{"real", []() -> std::unique_ptr<place> { return std::make_unique<real_place>(); }},
                    kind{"memory", []() -> std::unique_ptr<place> { return std::make_unique<memory_place>(); }}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(files_suite, reads_what_was_written_at_any_offset)
{
    auto out = fs.create(root / "a");
    ASSERT_TRUE(out);
    ASSERT_TRUE((*out)->write(bytes("hello ")));
    ASSERT_TRUE((*out)->write(bytes("world")));
    ASSERT_TRUE((*out)->sync());
    EXPECT_EQ((*out)->size().value(), 11U);

    auto in = fs.open(root / "a");
    ASSERT_TRUE(in);
    EXPECT_EQ((*in)->size().value(), 11U);
    std::array<char, 5> part{};
    EXPECT_EQ((*in)->read(6, part).value(), 5U);
    EXPECT_EQ(std::string(part.data(), 5), "world");
    EXPECT_EQ((*in)->read(9, part).value(), 2U);
    EXPECT_EQ((*in)->read(11, part).value(), 0U);
    EXPECT_EQ((*in)->read(1000, part).value(), 0U);
}

TEST_P(files_suite, a_file_is_open_for_one_thing)
{
    write_file(fs, root / "a", "x");
    std::array<char, 5> part{};
    EXPECT_EQ(code((*fs.create(root / "b"))->read(0, part)), fault_code::file_failed);
    EXPECT_EQ(code((*fs.open(root / "a"))->write(bytes("y"))), fault_code::file_failed);
}

TEST_P(files_suite, create_refuses_a_taken_name_and_a_missing_folder)
{
    write_file(fs, root / "a", "old");
    EXPECT_EQ(code(fs.create(root / "a")), fault_code::conflict);
    EXPECT_EQ(read_all(fs, root / "a", 100).value(), "old");
    EXPECT_EQ(code(fs.create(root / "no" / "a")), fault_code::not_found);
    EXPECT_EQ(code(fs.create(root / "a" / "b")), fault_code::not_found);
    ASSERT_TRUE(fs.create_directory(root / "d"));
    EXPECT_EQ(code(fs.create(root / "d")), fault_code::conflict);
}

TEST_P(files_suite, open_refuses_what_is_no_file)
{
    EXPECT_EQ(code(fs.open(root / "a")), fault_code::not_found);
    EXPECT_EQ(code(fs.open(root)), fault_code::file_failed);
}

TEST_P(files_suite, rename_replaces)
{
    write_file(fs, root / "new", "new");
    write_file(fs, root / "old", "old");
    ASSERT_TRUE(fs.create_directory(root / "d"));
    ASSERT_TRUE(fs.rename(root / "new", root / "old"));
    EXPECT_EQ(names(fs, root), (std::set<std::string>{"old", "d"}));
    EXPECT_EQ(read_all(fs, root / "old", 100).value(), "new");
    EXPECT_EQ(code(fs.rename(root / "new", root / "old")), fault_code::not_found);
    EXPECT_EQ(code(fs.rename(root / "old", root / "no" / "old")), fault_code::not_found);
    EXPECT_EQ(code(fs.rename(root / "old", root / "d")), fault_code::file_failed);
    ASSERT_TRUE(fs.rename(root / "d", root / "e"));
    EXPECT_EQ(names(fs, root), (std::set<std::string>{"old", "e"}));
}

TEST_P(files_suite, an_open_file_outlives_its_name)
{
    write_file(fs, root / "a", "old");
    write_file(fs, root / "b", "new");
    auto in = fs.open(root / "a");
    ASSERT_TRUE(in);
    ASSERT_TRUE(fs.rename(root / "b", root / "a"));
    std::array<char, 3> part{};
    EXPECT_EQ((*in)->read(0, part).value(), 3U);
    EXPECT_EQ(std::string(part.data(), 3), "old");
}

TEST_P(files_suite, removes_files_and_empty_folders_only)
{
    ASSERT_TRUE(fs.create_directory(root / "d"));
    write_file(fs, root / "d" / "a", "x");
    EXPECT_EQ(code(fs.remove(root / "d")), fault_code::file_failed);
    EXPECT_TRUE(fs.remove(root / "d" / "a"));
    EXPECT_TRUE(fs.remove(root / "d"));
    EXPECT_EQ(code(fs.remove(root / "d")), fault_code::not_found);
    EXPECT_TRUE(names(fs, root).empty());
}

TEST_P(files_suite, create_directory_wants_its_parent)
{
    EXPECT_TRUE(fs.create_directory(root / "d"));
    EXPECT_EQ(code(fs.create_directory(root / "d")), fault_code::conflict);
    EXPECT_EQ(code(fs.create_directory(root / "no" / "d")), fault_code::not_found);
    EXPECT_TRUE(fs.sync_directory(root / "d"));
    EXPECT_EQ(code(fs.sync_directory(root / "no")), fault_code::not_found);
}

TEST_P(files_suite, info_tells_kind_size_and_mode)
{
    write_file(fs, root / "a", "1234");
    ASSERT_TRUE(fs.create_directory(root / "d"));
    const auto file = fs.info(root / "a");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->kind, file_kind::regular);
    EXPECT_EQ(file->bytes, 4U);
    EXPECT_EQ(file->mode, 0600U);
    const auto folder = fs.info(root / "d");
    ASSERT_TRUE(folder);
    EXPECT_EQ(folder->kind, file_kind::directory);
    EXPECT_EQ(folder->mode, 0700U);
    EXPECT_EQ(code(fs.info(root / "no")), fault_code::not_found);
    EXPECT_EQ(code(fs.info(root / "a" / "b")), fault_code::not_found);
}

TEST_P(files_suite, lists_and_stops_when_told)
{
    EXPECT_TRUE(names(fs, root).empty());
    for (int i = 0; i < 50; ++i) write_file(fs, root / std::to_string(i), "x");
    ASSERT_TRUE(fs.create_directory(root / "d"));
    int folders = 0;
    ASSERT_TRUE(fs.list(root, [&](const directory_entry& e) {
        folders += e.kind == file_kind::directory ? 1 : 0;
        EXPECT_EQ(e.kind, e.name == "d" ? file_kind::directory : file_kind::regular);
        return true;
    }));
    EXPECT_EQ(folders, 1);
    EXPECT_EQ(names(fs, root).size(), 51U);
    int seen = 0;
    EXPECT_TRUE(fs.list(root, [&](const directory_entry&) { return ++seen < 3; }));
    EXPECT_EQ(seen, 3);
    EXPECT_EQ(code(fs.open_directory(root / "no")), fault_code::not_found);
    EXPECT_EQ(code(fs.open_directory(root / "0")), fault_code::not_found);
}

TEST_P(files_suite, write_atomic_replaces_and_leaves_nothing_else)
{
    ASSERT_TRUE(write_atomic(fs, root / "state.json", "one"));
    ASSERT_TRUE(write_atomic(fs, root / "state.json", "two"));
    EXPECT_EQ(read_all(fs, root / "state.json", 3).value(), "two");
    EXPECT_EQ(fs.info(root / "state.json")->mode, 0600U);
    EXPECT_EQ(names(fs, root), std::set<std::string>{"state.json"});
}

TEST_P(files_suite, write_atomic_passes_over_what_a_crash_left)
{
    write_file(fs, root / ".state.json.0.tmp", "half");
    ASSERT_TRUE(write_atomic(fs, root / "state.json", "one"));
    EXPECT_EQ(read_all(fs, root / "state.json", 3).value(), "one");
    EXPECT_EQ(read_all(fs, root / ".state.json.0.tmp", 4).value(), "half");
}

TEST_P(files_suite, write_atomic_removes_its_temporary_file_when_it_fails)
{
    ASSERT_TRUE(fs.create_directory(root / "taken"));
    ASSERT_TRUE(fs.create_directory(root / "taken" / "by"));
    EXPECT_EQ(code(write_atomic(fs, root / "taken", "one")), fault_code::file_failed);
    EXPECT_EQ(names(fs, root), std::set<std::string>{"taken"});
    EXPECT_EQ(code(write_atomic(fs, root / "no" / "a", "one")), fault_code::not_found);
}

TEST_P(files_suite, write_atomic_from_many_threads_never_mixes)
{
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (char c = 'a'; c < 'e'; ++c)
        threads.emplace_back([&, c] {
            for (int i = 0; i < 20; ++i)
                if (!write_atomic(fs, root / "state", std::string(10'000, c))) ++failures;
        });
    for (auto& t : threads) t.join();
    EXPECT_EQ(failures, 0);
    const auto text = read_all(fs, root / "state", 10'000).value();
    EXPECT_EQ(text, std::string(10'000, text.front()));
    EXPECT_EQ(names(fs, root), std::set<std::string>{"state"});
}

TEST_P(files_suite, read_all_is_limited)
{
    const std::string text(100'000, 'x');
    write_file(fs, root / "a", text);
    EXPECT_EQ(read_all(fs, root / "a", text.size()).value(), text);
    EXPECT_EQ(code(read_all(fs, root / "a", text.size() - 1)), fault_code::invalid_value);
    EXPECT_EQ(code(read_all(fs, root / "b", 10)), fault_code::not_found);
    write_file(fs, root / "empty", "");
    EXPECT_EQ(read_all(fs, root / "empty", 0).value(), "");
}

TEST_P(files_suite, create_directories_makes_what_is_missing)
{
    ASSERT_TRUE(create_directories(fs, root / "a" / "b" / "c"));
    EXPECT_EQ(fs.info(root / "a" / "b" / "c")->kind, file_kind::directory);
    ASSERT_TRUE(create_directories(fs, root / "a" / "b" / "c"));
    ASSERT_TRUE(create_directories(fs, root / "a" / "d" / ""));
    EXPECT_EQ(names(fs, root / "a"), (std::set<std::string>{"b", "d"}));
    write_file(fs, root / "f", "x");
    EXPECT_EQ(code(create_directories(fs, root / "f")), fault_code::file_failed);
    EXPECT_FALSE(create_directories(fs, root / "f" / "g"));
}

TEST_P(files_suite, remove_all_takes_the_whole_tree)
{
    ASSERT_TRUE(create_directories(fs, root / "a" / "b" / "c"));
    for (int i = 0; i < 1500; ++i) write_file(fs, root / "a" / "b" / std::to_string(i), "x");
    write_file(fs, root / "stays", "x");
    ASSERT_TRUE(remove_all(fs, root / "a"));
    EXPECT_EQ(names(fs, root), std::set<std::string>{"stays"});
    EXPECT_TRUE(remove_all(fs, root / "a"));
    EXPECT_TRUE(remove_all(fs, root / "stays"));
    EXPECT_TRUE(names(fs, root).empty());
}

// ---- crashes, on a disk that forgets what was not synced

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

// ---- what only the real file system has

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
