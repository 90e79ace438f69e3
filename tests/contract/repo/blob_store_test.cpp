#include "contract/repo/blob_store_suite.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/memory_journal.hpp"
#include "fakes/scratch_folder.hpp"
#include "repo/counting_store.hpp"
#include "repo/disk_blob_store.hpp"
#include "repo/guarded_store.hpp"
#include "repo/memory_blob_store.hpp"
#include "repo/memory_room_book.hpp"
#include "repo/quota_store.hpp"

#include <gtest/gtest.h>

namespace xentz::repo::suite {
namespace {

struct memory_place final : store_place {
    memory_blob_store store_;
    blob_store& store() override { return store_; }
    void take_away() override { store_.set_available(false); }
    void bring_back() override { store_.set_available(true); }
    void set_now(base::time_point now) override { store_.set_now(now); }
};

// On a real disk: the folder is moved aside, and an empty one put in its place, as an unmount leaves it.
struct disk_place final : store_place {
    fakes::scratch_folder folder;
    std::filesystem::path root = folder.path() / "storage";
    std::unique_ptr<os::files> fs = os::make_files();
    std::unique_ptr<disk_blob_store> store_;

    disk_place()
    {
        EXPECT_TRUE(initialise_storage(*fs, root, "storage_1"));
        store_ = std::move(disk_blob_store::open(*fs, root, "storage_1").value());
        EXPECT_TRUE(store_->claim("a test"));
    }
    blob_store& store() override { return *store_; }
    void take_away() override
    {
        std::filesystem::rename(root, folder.path() / "aside");
        std::filesystem::create_directory(root);
    }
    void bring_back() override
    {
        EXPECT_TRUE(std::filesystem::is_empty(root)) << "nothing may be written to the mount point";
        std::filesystem::remove_all(root);
        std::filesystem::rename(folder.path() / "aside", root);
    }
};

struct disk_in_memory_place final : store_place {
    fakes::memory_files fs;
    std::unique_ptr<disk_blob_store> store_;

    disk_in_memory_place()
    {
        EXPECT_TRUE(initialise_storage(fs, "/disk", "storage_1"));
        fs.mount("/storage", "/disk");
        store_ = std::move(disk_blob_store::open(fs, "/storage", "storage_1").value());
    }
    blob_store& store() override { return *store_; }
    void take_away() override { fs.mount("/storage", "/nothing"); }
    void bring_back() override { fs.mount("/storage", "/disk"); }
    void set_now(base::time_point now) override { fs.set_now(now); }
};

// The decorators keep the contract of what they stand on.
template <class Place>
struct decorated_place final : store_place {
    struct endless final : room_source {
        room room_of(const std::string&) override { return {.tenant = "ten_1", .quota = std::uint64_t{1} << 40U}; }
    };

    Place inner;
    fakes::memory_journal journal;
    endless counted_room;
    memory_room_book book{counted_room};
    guarded_store guarded{inner.store(), dynamic_cast<trash_store&>(inner.store()), journal};
    quota_store limited{guarded, book, {}};
    traffic_counts counts;
    counting_store counted{limited, counts};

    blob_store& store() override { return counted; }
    void take_away() override { inner.take_away(); }
    void bring_back() override { inner.bring_back(); }
    void set_now(base::time_point now) override { inner.set_now(now); }
};

template <class Place>
std::unique_ptr<store_place> make()
{
    return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(all, blob_store_suite,
                         testing::Values(participant{"memory", make<memory_place>},
                                         participant{"disk", make<disk_place>},
                                         participant{"disk_in_memory", make<disk_in_memory_place>},
                                         participant{"guarded_memory", make<decorated_place<memory_place>>},
                                         participant{"guarded_disk", make<decorated_place<disk_place>>}),
                         [](const auto& tested) { return tested.param.name; });

} // namespace
} // namespace xentz::repo::suite
