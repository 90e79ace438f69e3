#include "recovery/copy_folder.hpp"

#include "fakes/memory_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace xentz::recovery {
namespace {

using base::fault_code;
using testing::ElementsAre;
using testing::HasSubstr;

struct copying : testing::Test {
    fakes::memory_files files;
    const std::filesystem::path at = "/mnt/disk/copy";
    crypto::master_key key = *crypto::master_key::parse(std::string(64, '1'));

    void put(const std::string& name, std::string_view text = "x")
    {
        ASSERT_TRUE(os::create_directories(files, at));
        ASSERT_TRUE(os::write_atomic(files, at / name, text));
    }
    std::string manifest_of(const std::string& stamp)
    {
        manifest m;
        m.database.name = "database-" + stamp + ".jsonl";
        m.master_key.name = "master-key-" + stamp + ".json";
        return print_manifest(m, key);
    }
    std::vector<std::string> names()
    {
        std::vector<std::string> out;
        EXPECT_TRUE(files.list(at, [&](const os::directory_entry& e) {
            out.push_back(e.name);
            return true;
        }));
        std::ranges::sort(out);
        return out;
    }
};

TEST_F(copying, makes_a_folder_that_is_missing_and_takes_an_empty_one)
{
    EXPECT_TRUE(copy_folder::prepare(files, at));
    EXPECT_TRUE(copy_folder::prepare(files, at));
    EXPECT_TRUE(names().empty());
}

TEST_F(copying, refuses_a_folder_of_something_else_and_leaves_it_alone)
{
    put("photo.jpg");
    const auto refused = copy_folder::prepare(files, at);
    EXPECT_EQ(refused.error().code, fault_code::target_not_empty);
    EXPECT_THAT(refused.error().message, HasSubstr("photo.jpg"));
    EXPECT_THAT(names(), ElementsAre("photo.jpg"));
}

TEST_F(copying, refuses_a_folder_with_the_manifest_of_something_else)
{
    put("manifest.json", "{\"name\":\"web\",\"icons\":[]}");
    EXPECT_EQ(copy_folder::prepare(files, at).error().code, fault_code::target_not_empty);
}

TEST_F(copying, refuses_a_folder_in_the_place_of_a_file)
{
    ASSERT_TRUE(os::create_directories(files, at / "database-1.jsonl"));
    EXPECT_EQ(copy_folder::prepare(files, at).error().code, fault_code::target_not_empty);
}

TEST_F(copying, takes_the_folder_of_an_earlier_copy_and_of_one_that_was_cut_short)
{
    put("manifest.json", manifest_of("1"));
    for (const auto* name : {"database-1.jsonl", "master-key-1.json", "database-2.jsonl", "lock"}) put(name);
    EXPECT_TRUE(copy_folder::prepare(files, at));
    ASSERT_TRUE(files.remove(at / "manifest.json"));
    EXPECT_TRUE(copy_folder::prepare(files, at));
}

TEST_F(copying, keeps_what_the_manifest_names_and_removes_what_else_a_copy_left)
{
    put("manifest.json", manifest_of("2"));
    for (const auto* name : {"database-1.jsonl", "master-key-1.json", "settings-1.sealed", "database-2.jsonl",
                             "master-key-2.json", "database-3.jsonl", ".manifest.json.0.tmp", "lock"})
        put(name);
    ASSERT_TRUE(copy_folder::prepare(files, at)->tidy());
    EXPECT_THAT(names(), ElementsAre("database-2.jsonl", "lock", "manifest.json", "master-key-2.json"));
}

TEST_F(copying, removes_nothing_by_a_manifest_that_cannot_be_read)
{
    auto folder = *copy_folder::prepare(files, at);
    put("manifest.json", "half");
    put("database-1.jsonl");
    EXPECT_FALSE(folder.tidy());
    EXPECT_THAT(names(), ElementsAre("database-1.jsonl", "manifest.json"));
}

TEST_F(copying, without_a_manifest_there_is_no_copy)
{
    put("database-1.jsonl");
    EXPECT_EQ(copy_folder::open(files, at).error().code, fault_code::not_found);
    EXPECT_EQ(copy_folder::open(files, "/nowhere").error().code, fault_code::not_found);
}

} // namespace
} // namespace xentz::recovery
