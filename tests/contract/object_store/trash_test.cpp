// The contract of repo::trash_store over a real object store.
#include "contract/repo/trash_suite.hpp"
#include "fakes/scratch_folder.hpp"
#include "repo/s3_blob_store.hpp"
#include "support/object_store.hpp"

#include <gtest/gtest.h>

namespace xentz::repo::suite {
namespace {

struct bucket_trash final : place_of_trash {
    test::fresh_prefix prefix;
    fakes::scratch_folder folder;
    std::unique_ptr<s3_blob_store> store_;
    bucket_trash()
    {
        store_ = std::move(s3_blob_store::open(prefix.client(), "storage_1", prefix.clock(), {folder.path()}).value());
        EXPECT_TRUE(store_->initialise());
    }
    blob_store& store() override { return *store_; }
    trash_store& trash() override { return *store_; }
};

std::unique_ptr<place_of_trash> make() { return std::make_unique<bucket_trash>(); }

INSTANTIATE_TEST_SUITE_P(all, trash_suite, testing::Values(chosen{"bucket", make}),
                         [](const auto& tested) { return tested.param.name; });

} // namespace
} // namespace xentz::repo::suite
