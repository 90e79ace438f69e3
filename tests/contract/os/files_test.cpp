#include "contract/os/files_support.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <thread>

namespace xentz::os {
namespace {

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

TEST_P(files_suite, looks_at_the_entries_of_a_folder_as_at_any_file)
{
    write_file(fs, root / "a", "four");
    ASSERT_TRUE(fs.create_directory(root / "d"));
    const auto folder = fs.open_directory(root);
    ASSERT_TRUE(folder);
    for (const auto* name : {"a", "d"}) EXPECT_EQ((*folder)->info(name).value(), fs.info(root / name).value()) << name;
    EXPECT_EQ((*folder)->info("a")->bytes, 4U);
    EXPECT_EQ(code((*folder)->info("no")), fault_code::not_found);
}

TEST_P(files_suite, tells_a_file_from_one_that_replaced_it)
{
    ASSERT_TRUE(write_atomic(fs, root / "a", "one"));
    const auto before = fs.info(root / "a").value();
    EXPECT_EQ(fs.info(root / "a").value(), before);
    write_file(fs, root / "b", "two");
    ASSERT_TRUE(fs.rename(root / "b", root / "a"));
    EXPECT_NE(fs.info(root / "a")->inode, before.inode);
    EXPECT_EQ(fs.info(root / "a")->device, before.device);
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

TEST_P(files_suite, write_atomic_takes_several_files)
{
    ASSERT_TRUE(fs.create_directory(root / "other"));
    ASSERT_TRUE(write_atomic(fs, std::array{file_content{root / "a", "one"}, file_content{root / "other" / "b", "two"},
                                            file_content{root / "c", "three"}}));
    EXPECT_EQ(read_all(fs, root / "a", 10).value(), "one");
    EXPECT_EQ(read_all(fs, root / "other" / "b", 10).value(), "two");
    EXPECT_EQ(read_all(fs, root / "c", 10).value(), "three");
    EXPECT_EQ(names(fs, root), (std::set<std::string>{"a", "c", "other"}));
    EXPECT_EQ(names(fs, root / "other"), std::set<std::string>{"b"});
}

TEST_P(files_suite, write_atomic_of_several_files_leaves_no_temporary_ones)
{
    ASSERT_TRUE(fs.create_directory(root / "taken"));
    ASSERT_TRUE(fs.create_directory(root / "taken" / "by"));
    EXPECT_EQ(code(write_atomic(fs, std::array{file_content{root / "a", "one"}, file_content{root / "taken", "two"},
                                               file_content{root / "c", "three"}})),
              fault_code::file_failed);
    EXPECT_EQ(names(fs, root), (std::set<std::string>{"a", "taken"})) << "the first was renamed already";
    EXPECT_EQ(
        code(write_atomic(fs, std::array{file_content{root / "d", "one"}, file_content{root / "no" / "e", "two"}})),
        fault_code::not_found);
    EXPECT_EQ(names(fs, root), (std::set<std::string>{"a", "taken"}));
}

TEST_P(files_suite, write_without_sync_replaces)
{
    ASSERT_TRUE(write_without_sync(fs, root / "a", "one"));
    ASSERT_TRUE(write_without_sync(fs, root / "a", "two"));
    EXPECT_EQ(read_all(fs, root / "a", 10).value(), "two");
    EXPECT_EQ(names(fs, root), std::set<std::string>{"a"});
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

} // namespace
} // namespace xentz::os
