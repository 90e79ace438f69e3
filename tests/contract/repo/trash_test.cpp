// The contract of repo::trash_store over the memory and the disk, and what guarded_store makes of it.
#include "contract/repo/trash_suite.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/memory_journal.hpp"
#include "fakes/scratch_folder.hpp"
#include "repo/disk_blob_store.hpp"
#include "repo/guarded_store.hpp"
#include "repo/memory_blob_store.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace xentz::repo::suite {
namespace {

struct memory_trash final : place_of_trash {
    memory_blob_store store_;
    blob_store& store() override { return store_; }
    trash_store& trash() override { return store_; }
};

struct disk_trash final : place_of_trash {
    fakes::scratch_folder folder;
    std::unique_ptr<os::files> fs = os::make_files();
    std::unique_ptr<disk_blob_store> store_;
    disk_trash()
    {
        const auto root = folder.path() / "storage";
        EXPECT_TRUE(initialise_storage(*fs, root, "storage_1"));
        store_ = std::move(disk_blob_store::open(*fs, root, "storage_1").value());
    }
    blob_store& store() override { return *store_; }
    trash_store& trash() override { return *store_; }
};

template <class Place>
std::unique_ptr<place_of_trash> make()
{
    return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(all, trash_suite,
                         testing::Values(chosen{"memory", make<memory_trash>}, chosen{"disk", make<disk_trash>}),
                         [](const auto& tested) { return tested.param.name; });

struct guarded : testing::Test {
    memory_blob_store disk;
    fakes::memory_journal journal;
    guarded_store store{disk, disk, journal};
    guarded() { EXPECT_TRUE(store.create_repository("repo_1")); }

    std::string in_trash(object_type type, std::string_view bytes)
    {
        std::string out;
        const auto hash = crypto::sha256_hex(bytes);
        for (const auto number : journal.buried(hash)) {
            auto reader = disk.open_buried({key_of(type, bytes), hash, number});
            if (!reader) return "no bytes in the trash";
            out.resize((*reader)->size());
            EXPECT_TRUE((*reader)->read(0, out));
        }
        return out;
    }
};

TEST_F(guarded, what_is_removed_is_gone_for_a_client_and_lies_in_the_trash)
{
    using enum object_type;
    for (const auto type : {data, keys, snapshots, index, config}) {
        const auto bytes = "bytes of " + std::string{name(type)};
        const auto key = key_of(type, bytes);
        ASSERT_TRUE(put(store, key, bytes));
        EXPECT_TRUE(store.remove(key));
        EXPECT_EQ(code(get(store, key)), fault_code::not_found);
        EXPECT_TRUE(store.remove(key)) << "again";
        EXPECT_EQ(in_trash(type, bytes), bytes);
    }
}

TEST_F(guarded, locks_are_really_removed)
{
    const auto key = key_of(object_type::locks, "lock");
    ASSERT_TRUE(put(store, key, "lock"));
    ASSERT_EQ(journal.rows.size(), 1U);
    ASSERT_TRUE(store.remove(key));
    EXPECT_TRUE(journal.rows.empty());
    EXPECT_EQ(code(disk.size(key)), fault_code::not_found);
}

TEST_F(guarded, nothing_is_acknowledged_that_the_journal_does_not_know)
{
    const auto key = key_of(object_type::data, "bytes");
    journal.broken = true;
    EXPECT_EQ(code(put(store, key, "bytes")), fault_code::repository_unavailable);
    journal.broken = false;
    ASSERT_TRUE(put(store, key, "bytes")) << "the client sends it again";
    EXPECT_EQ(journal.rows.size(), 1U);
    journal.broken = true;
    EXPECT_EQ(code(store.remove(key)), fault_code::repository_unavailable);
    EXPECT_EQ(get(store, key).value(), "bytes");
}

TEST_F(guarded, an_object_the_journal_does_not_know_goes_to_the_trash_too)
{
    const auto key = key_of(object_type::data, "bytes");
    ASSERT_TRUE(put(disk, key, "bytes"));
    ASSERT_TRUE(store.remove(key));
    EXPECT_EQ(in_trash(object_type::data, "bytes"), "bytes");
}

// On a disk that fails or loses power at every single call, an object is present or in the trash, never nowhere.
TEST(guarded_on_a_bad_disk, never_loses_the_bytes_of_a_removal)
{
    for (std::uint64_t n = 1;; ++n) {
        fakes::memory_files fs;
        ASSERT_TRUE(initialise_storage(fs, "/storage", "storage_1"));
        auto disk = std::move(disk_blob_store::open(fs, "/storage", "storage_1").value());
        fakes::memory_journal journal;
        guarded_store store{*disk, *disk, journal};
        ASSERT_TRUE(store.create_repository("repo_1"));
        const auto key = key_of(object_type::data, "bytes");
        ASSERT_TRUE(put(store, key, "bytes"));
        fs.power_off_at(n);
        const bool acknowledged = store.remove(key).has_value();
        const auto calls = fs.calls();
        fs.restart(fakes::survivors::nothing);
        auto again = std::move(disk_blob_store::open(fs, "/storage", "storage_1").value());
        const bool present = get(*again, key).has_value();
        bool buried = false;
        for (const auto& r : journal.rows) buried = buried || again->open_buried({key, key.name, r.place}).has_value();
        EXPECT_TRUE(present || buried) << "call " << n;
        EXPECT_TRUE(!acknowledged || (buried && !present)) << "call " << n;
        if (acknowledged && calls < n) break;
    }
}

} // namespace
} // namespace xentz::repo::suite
