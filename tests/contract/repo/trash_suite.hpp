// The contract of repo::trash_store as tests. A store takes part with a `place_of_trash`; see trash_test.cpp. To be
// included by one source only.
#pragma once

#include "contract/repo/blob_store_support.hpp"
#include "repo/storage.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace xentz::repo::suite {

struct place_of_trash {
    virtual ~place_of_trash() = default;
    virtual blob_store& store() = 0;
    virtual trash_store& trash() = 0;
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

// What the memory is not.
TEST_P(trash_suite, a_storage_drops_a_repository_whole_and_no_other)
{
    auto* const whole = dynamic_cast<storage*>(&store);
    if (whole == nullptr) return;
    ASSERT_TRUE(store.create_repository("repo_10"));
    const auto other = object_key{"repo_10", object_type::data, crypto::sha256_hex("other")};
    ASSERT_TRUE(put(store, other, "other"));
    const auto e = entry(object_type::data, "buried", 7);
    ASSERT_TRUE(put(store, e.key, "buried"));
    ASSERT_TRUE(trash.bury(e));
    ASSERT_TRUE(put(store, key_of(object_type::config, "config"), "config"));
    ASSERT_TRUE(put(store, key_of(object_type::data, "bytes"), "bytes"));

    ASSERT_TRUE(whole->drop_repository("repo_1"));
    EXPECT_EQ(whole->repositories().value(), (std::vector<std::string>{"repo_10"}));
    EXPECT_EQ(code(store.list("repo_1", object_type::data)), fault_code::not_found);
    EXPECT_EQ(buried(e), "not-found");
    EXPECT_EQ(get(store, other).value(), "other");
    EXPECT_TRUE(whole->drop_repository("repo_1")) << "again";

    ASSERT_TRUE(store.create_repository("repo_1"));
    ASSERT_TRUE(put(store, e.key, "buried"));
    ASSERT_TRUE(trash.bury(e)) << "and it can come back";
    EXPECT_EQ(buried(e), "buried");
}

} // namespace xentz::repo::suite
