#include "repo/counting_store.hpp"

#include "crypto/hash.hpp"
#include "repo/memory_blob_store.hpp"

#include <gtest/gtest.h>

#include <array>

namespace xentz::repo {
namespace {

struct counting : testing::Test {
    memory_blob_store memory;
    traffic_counts counts;
    counting_store store{memory, counts};
    const object_key pack{"repo_1", object_type::data, crypto::sha256_hex("0123456789")};

    counting() { EXPECT_TRUE(store.create_repository("repo_1")); }

    void put(const object_key& key, std::string_view bytes)
    {
        auto in = store.receive(key, bytes.size());
        ASSERT_TRUE((*in)->write(std::span{bytes.data(), bytes.size()}));
        static_cast<void>((*in)->commit());
    }
    traffic of(object_type type) const
    {
        const auto all = counts.all();
        const auto at = all.find({"repo_1", type});
        return at == all.end() ? traffic{} : at->second;
    }
};

TEST_F(counting, counts_what_was_stored_and_nothing_that_was_not)
{
    put(pack, "0123456789");
    put(pack, "012345678"); // refused: another hash
    {
        auto cut = store.receive(pack, 10);
    }
    EXPECT_EQ(of(object_type::data).written, 1U);
    EXPECT_EQ(of(object_type::data).bytes_written, 10U);
    EXPECT_EQ(of(object_type::index).written, 0U);
}

TEST_F(counting, counts_what_was_read_but_no_look_at_the_size)
{
    put(pack, "0123456789");
    ASSERT_TRUE(store.size(pack));
    {
        auto looked_at = store.open(pack);
    }
    EXPECT_EQ(of(object_type::data).read, 0U);
    {
        auto reader = store.open(pack);
        std::array<char, 4> part{};
        ASSERT_EQ((*reader)->read(0, part).value(), 4U);
        ASSERT_EQ((*reader)->read(8, part).value(), 2U);
    }
    EXPECT_EQ(of(object_type::data).read, 1U);
    EXPECT_EQ(of(object_type::data).bytes_read, 6U);
}

TEST_F(counting, counts_a_removal_once)
{
    put(pack, "0123456789");
    EXPECT_TRUE(store.remove(pack));
    EXPECT_TRUE(store.remove(pack));
    EXPECT_EQ(of(object_type::data).removed, 1U);
    EXPECT_EQ(of(object_type::data).bytes_removed, 10U);
}

TEST_F(counting, keeps_repositories_apart)
{
    put({"repo_1", object_type::keys, crypto::sha256_hex("a")}, "a");
    ASSERT_TRUE(store.create_repository("repo_2"));
    put({"repo_2", object_type::keys, crypto::sha256_hex("b")}, "b");
    EXPECT_EQ(counts.all().size(), 2U);
}

} // namespace
} // namespace xentz::repo
