// The contract of repo::blob_store over a real object store.
#include "contract/repo/blob_store_suite.hpp"
#include "fakes/memory_journal.hpp"
#include "repo/counting_store.hpp"
#include "repo/guarded_store.hpp"
#include "repo/memory_room_book.hpp"
#include "repo/quota_store.hpp"
#include "repo/s3_blob_store.hpp"
#include "support/object_store.hpp"

#include <gtest/gtest.h>

namespace xentz::repo::suite {
namespace {

using namespace std::chrono_literals;

// Everything below the prefix is moved aside, as if it were another bucket.
struct bucket_place final : store_place {
    test::fresh_prefix prefix;
    fakes::scratch_folder folder;
    std::unique_ptr<s3::client> client = prefix.client();
    std::unique_ptr<s3_blob_store> store_;

    bucket_place()
    {
        store_ =
            std::move(s3_blob_store::open(prefix.client(), "storage_1", prefix.clock(), {folder.path(), 0us}).value());
        EXPECT_TRUE(store_->initialise());
        EXPECT_TRUE(store_->claim("a test"));
    }
    blob_store& store() override { return *store_; }
    void take_away() override { move("", "aside/"); }
    void bring_back() override
    {
        move("aside/", "");
        EXPECT_TRUE(client->list({.prefix = "aside/"})->objects.empty());
    }

    void move(const std::string& from, const std::string& to)
    {
        const auto all = client->list({.prefix = from}).value();
        for (const auto& o : all.objects) {
            ASSERT_TRUE(from == "aside/" || !o.key.starts_with("aside/"));
            ASSERT_TRUE(client->copy(o.key, to + o.key.substr(from.size())));
            ASSERT_TRUE(client->remove(o.key));
        }
    }
};

struct decorated_bucket_place final : store_place {
    struct endless final : room_source {
        room room_of(const std::string&) override { return {.tenant = "ten_1", .quota = std::uint64_t{1} << 40U}; }
    };

    bucket_place inner;
    fakes::memory_journal journal;
    endless counted_room;
    memory_room_book book{counted_room};
    guarded_store guarded{inner.store(), *inner.store_, journal};
    quota_store limited{guarded, book, {}};
    traffic_counts counts;
    counting_store counted{limited, counts};

    blob_store& store() override { return counted; }
    void take_away() override { inner.take_away(); }
    void bring_back() override { inner.bring_back(); }
};

template <class Place>
std::unique_ptr<store_place> make()
{
    return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(all, blob_store_suite,
                         testing::Values(participant{"bucket", make<bucket_place>},
                                         participant{"guarded_bucket", make<decorated_bucket_place>}),
                         [](const auto& tested) { return tested.param.name; });

} // namespace
} // namespace xentz::repo::suite
