// The contract of repo::trash_store over each implementation, and what guarded_store makes of it.
#include "contract/repo/blob_store_support.hpp"
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

struct place_of_trash {
    virtual ~place_of_trash() = default;
    virtual blob_store& store() = 0;
    virtual trash_store& trash() = 0;
};

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

struct chosen {
    std::string name;
    std::unique_ptr<place_of_trash> (*make)();
};

class trash_suite : public testing::TestWithParam<chosen> {
protected:
    void SetUp() override { ASSERT_TRUE(store.create_repository("repo_1")); }

    static trash_entry entry(object_type type, std::string_view bytes, std::int64_t number)
    {
        return {key_of(type, bytes), crypto::sha256_hex(bytes), number};
    }
    std::string buried(const trash_entry& e)
    {
        auto reader = trash.open_buried(e);
        if (!reader) return std::string{name(reader.error().code)};
        std::string out((*reader)->size(), '?');
        EXPECT_EQ((*reader)->read(0, out).value(), out.size());
        return out;
    }

    std::unique_ptr<place_of_trash> place = GetParam().make();
    blob_store& store = place->store();
    trash_store& trash = place->trash();
};

TEST_P(trash_suite, takes_an_object_out_of_sight_and_gives_it_back)
{
    using enum object_type;
    for (const auto type : {data, keys, snapshots, index, config}) {
        const auto e = entry(type, "bytes", 7);
        ASSERT_TRUE(put(store, e.key, "bytes"));
        ASSERT_TRUE(trash.bury(e));
        EXPECT_EQ(code(get(store, e.key)), fault_code::not_found);
        EXPECT_EQ(buried(e), "bytes");
        if (type != config) {
            EXPECT_TRUE(listed(store, type).value().empty());
        }
        ASSERT_TRUE(trash.unbury(e));
        EXPECT_EQ(get(store, e.key).value(), "bytes");
        EXPECT_EQ(buried(e), "not-found");
        EXPECT_EQ(code(trash.unbury(e)), fault_code::not_found);
    }
}

TEST_P(trash_suite, keeps_versions_of_a_config_apart)
{
    const auto first = entry(object_type::config, "first", 1);
    const auto second = entry(object_type::config, "second", 2);
    ASSERT_TRUE(put(store, first.key, "first"));
    ASSERT_TRUE(trash.bury(first));
    ASSERT_TRUE(put(store, second.key, "second"));
    ASSERT_TRUE(trash.bury(second));
    EXPECT_EQ(buried(first), "first");
    EXPECT_EQ(buried(second), "second");
    ASSERT_TRUE(trash.unbury(first));
    EXPECT_EQ(get(store, first.key).value(), "first");
}

TEST_P(trash_suite, lists_and_destroys)
{
    const auto e = entry(object_type::data, "bytes", 12);
    const auto c = entry(object_type::config, "config", 13);
    ASSERT_TRUE(put(store, e.key, "bytes"));
    ASSERT_TRUE(put(store, c.key, "config"));
    ASSERT_TRUE(trash.bury(e));
    ASSERT_TRUE(trash.bury(c));
    std::vector<std::string> found;
    ASSERT_TRUE(trash.list_buried("repo_1", [&](const trash_entry& one) {
        found.push_back(std::to_string(one.place) + " " + std::string{name(one.key.type)} + " " + one.hash);
        EXPECT_EQ(one.key.name.empty(), one.key.type == object_type::config);
        return true;
    }));
    std::ranges::sort(found);
    EXPECT_EQ(found, (std::vector<std::string>{"12 data " + e.hash, "13 config " + c.hash}));
    ASSERT_TRUE(trash.destroy(e));
    EXPECT_TRUE(trash.destroy(e)) << "what is missing";
    EXPECT_EQ(buried(e), "not-found");
    EXPECT_TRUE(trash.list_buried("repo_none", [](const trash_entry&) { return true; }));
}

TEST_P(trash_suite, refuses_what_is_no_entry)
{
    for (const auto& e : {trash_entry{key_of(object_type::data, "x"), "../../x", 1},
                          trash_entry{key_of(object_type::data, "x"), crypto::sha256_hex("y"), 1},
                          trash_entry{{"../x", object_type::config, ""}, crypto::sha256_hex("y"), 1}})
        EXPECT_FALSE(trash.bury(e));
}

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
