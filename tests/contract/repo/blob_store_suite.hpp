// The contract of repo::blob_store as tests. A store takes part with a `store_place`; see blob_store_test.cpp. To be
// included by one source only.
#pragma once

#include "contract/repo/blob_store_support.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace xentz::repo::suite {

// A fresh store and what a test may do to what lies beneath it.
struct store_place {
    virtual ~store_place() = default;
    virtual blob_store& store() = 0;
    virtual void take_away() = 0; // as if the disk were not mounted
    virtual void bring_back() = 0;
    virtual void set_now(base::time_point) {} // where the time is not the disk's
};

struct participant {
    std::string name;
    std::unique_ptr<store_place> (*make)();
};

class blob_store_suite : public testing::TestWithParam<participant> {
protected:
    void SetUp() override { ASSERT_TRUE(store.create_repository("repo_1")); }

    std::unique_ptr<store_place> place = GetParam().make();
    blob_store& store = place->store();
    static constexpr std::array named_types{object_type::data, object_type::keys, object_type::locks,
                                            object_type::snapshots, object_type::index};
};

TEST_P(blob_store_suite, gives_back_what_it_was_given)
{
    for (const auto type : named_types) {
        const auto bytes = "bytes of " + std::string{name(type)};
        const auto key = key_of(type, bytes);
        EXPECT_EQ(code(get(store, key)), fault_code::not_found);
        EXPECT_EQ(code(store.size(key)), fault_code::not_found);
        ASSERT_TRUE(put(store, key, bytes));
        EXPECT_EQ(get(store, key).value(), bytes);
        EXPECT_EQ(store.size(key).value(), bytes.size());
        EXPECT_EQ(listed(store, type).value(), (std::map<std::string, std::uint64_t>{{key.name, bytes.size()}}));
    }
}

TEST_P(blob_store_suite, knows_when_an_object_was_stored)
{
    const auto key = key_of(object_type::locks, "a lock");
    place->set_now(base::time_point{std::chrono::hours{10}});
    ASSERT_TRUE(put(store, key, "a lock"));
    const auto stored = store.open(key).value()->stored_at();
    // A disk keeps its own clock; the others do as they are told.
    const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    EXPECT_TRUE(stored == base::time_point{std::chrono::hours{10}} || abs(now - stored) < std::chrono::minutes{1});
    place->set_now(base::time_point{std::chrono::hours{11}});
    EXPECT_EQ(store.open(key).value()->stored_at(), stored);
}

TEST_P(blob_store_suite, takes_large_and_empty_objects)
{
    std::string large;
    for (int i = 0; i < 100'000; ++i) large += std::to_string(i);
    for (const auto& bytes : {std::string{}, std::string{"x"}, large}) {
        const auto key = key_of(object_type::data, bytes);
        ASSERT_TRUE(put(store, key, bytes));
        EXPECT_EQ(get(store, key).value(), bytes);
    }
    auto reader = store.open(key_of(object_type::data, large));
    ASSERT_TRUE(reader);
    std::array<char, 100> part{};
    ASSERT_EQ((*reader)->read(1000, part).value(), part.size());
    EXPECT_EQ(std::string(part.data(), part.size()), large.substr(1000, 100));
    EXPECT_EQ((*reader)->read(large.size() - 10, part).value(), 10U);
    EXPECT_EQ((*reader)->read(large.size(), part).value(), 0U);
}

TEST_P(blob_store_suite, refuses_bytes_without_the_right_hash)
{
    for (const auto type : named_types) {
        const auto key = key_of(type, "right");
        EXPECT_EQ(code(put(store, key, "wrong")), fault_code::invalid_value);
        EXPECT_EQ(code(put(store, key, "righ")), fault_code::invalid_value);
        EXPECT_EQ(code(get(store, key)), fault_code::not_found);
        EXPECT_TRUE(listed(store, type).value().empty());
        ASSERT_TRUE(put(store, key, "right"));
        EXPECT_EQ(code(put(store, key, "wrong")), fault_code::invalid_value);
        EXPECT_EQ(get(store, key).value(), "right");
    }
}

TEST_P(blob_store_suite, shows_nothing_before_the_commit)
{
    const auto key = key_of(object_type::data, "bytes");
    {
        auto in = store.receive(key, 1000);
        ASSERT_TRUE(in);
        ASSERT_TRUE((*in)->write(std::span{"bytes", 5}));
        EXPECT_EQ(code(store.size(key)), fault_code::not_found);
        EXPECT_TRUE(listed(store, object_type::data).value().empty());
    }
    EXPECT_EQ(code(store.size(key)), fault_code::not_found);
    EXPECT_TRUE(listed(store, object_type::data).value().empty());
}

TEST_P(blob_store_suite, takes_the_same_object_again)
{
    const auto key = key_of(object_type::keys, "bytes");
    ASSERT_TRUE(put(store, key, "bytes"));
    EXPECT_TRUE(put(store, key, "bytes"));
    EXPECT_EQ(get(store, key).value(), "bytes");
    EXPECT_EQ(listed(store, object_type::keys)->size(), 1U);
}

TEST_P(blob_store_suite, takes_one_config_only)
{
    const auto key = key_of(object_type::config, "");
    EXPECT_EQ(code(get(store, key)), fault_code::not_found);
    ASSERT_TRUE(put(store, key, "the config"));
    EXPECT_TRUE(put(store, key, "the config"));
    for (const auto* other : {"another one", "the confi", "the config!", ""})
        EXPECT_EQ(code(put(store, key, other)), fault_code::conflict) << other;
    EXPECT_EQ(get(store, key).value(), "the config");
    ASSERT_TRUE(store.remove(key));
    EXPECT_TRUE(put(store, key, "another one"));
    EXPECT_EQ(get(store, key).value(), "another one");
    EXPECT_EQ(code(store.list("repo_1", object_type::config)), fault_code::invalid_value);
}

TEST_P(blob_store_suite, of_many_configs_at_once_one_wins)
{
    const auto key = key_of(object_type::config, "");
    const std::array<std::string, 4> texts{"config 0", "config 1", "config 2", "config 3"};
    for (int round = 0; round < 10; ++round) {
        std::atomic<int> accepted{0};
        std::atomic<int> refused{0};
        std::barrier together{static_cast<std::ptrdiff_t>(texts.size())};
        std::vector<std::thread> threads;
        for (const auto& text : texts)
            threads.emplace_back([&] {
                auto in = store.receive(key, 1000);
                const bool written = in && (*in)->write(std::span{text.data(), text.size()});
                together.arrive_and_wait();
                if (!written) return;
                const auto committed = (*in)->commit();
                if (committed)
                    ++accepted;
                else if (committed.error().code == fault_code::conflict)
                    ++refused;
            });
        for (auto& t : threads) t.join();
        EXPECT_EQ(accepted, 1);
        EXPECT_EQ(refused, 3);
        EXPECT_EQ(std::ranges::count(texts, get(store, key).value()), 1);
        ASSERT_TRUE(store.remove(key));
    }
}

TEST_P(blob_store_suite, removes)
{
    const auto key = key_of(object_type::data, "bytes");
    EXPECT_TRUE(store.remove(key)) << "what is missing";
    ASSERT_TRUE(put(store, key, "bytes"));
    EXPECT_TRUE(store.remove(key));
    EXPECT_EQ(code(get(store, key)), fault_code::not_found);
    EXPECT_TRUE(listed(store, object_type::data).value().empty());
    EXPECT_TRUE(store.remove(key));
    EXPECT_TRUE(store.remove({"repo_never", object_type::data, key.name}));
}

TEST_P(blob_store_suite, lists_many_objects)
{
    std::map<std::string, std::uint64_t> expected;
    for (int i = 0; i < 300; ++i) {
        const std::string bytes(static_cast<std::size_t>(i), 'x');
        const auto key = key_of(object_type::data, bytes);
        expected[key.name] = bytes.size();
        ASSERT_TRUE(put(store, key, bytes));
    }
    EXPECT_EQ(listed(store, object_type::data).value(), expected);
}

TEST_P(blob_store_suite, lists_while_objects_come_and_go)
{
    const auto stays = key_of(object_type::data, "stays");
    ASSERT_TRUE(put(store, stays, "stays"));
    for (int i = 0; i < 50; ++i) {
        const auto bytes = std::to_string(i);
        ASSERT_TRUE(put(store, key_of(object_type::data, bytes), bytes));
    }
    auto list = store.list("repo_1", object_type::data);
    ASSERT_TRUE(list);
    bool seen = false;
    for (int i = 0;; ++i) {
        const auto object = (*list)->next();
        ASSERT_TRUE(object);
        if (!*object) break;
        seen = seen || (*object)->name == stays.name;
        ASSERT_TRUE(store.remove(key_of(object_type::data, std::to_string(i % 50))));
        const auto bytes = "new " + std::to_string(i);
        if (i >= 50) continue;
        ASSERT_TRUE(put(store, key_of(object_type::data, bytes), bytes));
    }
    EXPECT_TRUE(seen);
}

TEST_P(blob_store_suite, keeps_repositories_apart)
{
    ASSERT_TRUE(store.create_repository("repo_2"));
    auto key = key_of(object_type::data, "bytes");
    ASSERT_TRUE(put(store, key, "bytes"));
    key.repository_id = "repo_2";
    EXPECT_EQ(code(get(store, key)), fault_code::not_found);
    EXPECT_TRUE(listed(store, object_type::data, "repo_2").value().empty());
    EXPECT_TRUE(store.remove(key));
    EXPECT_EQ(listed(store, object_type::data)->size(), 1U);
}

TEST_P(blob_store_suite, knows_no_repository_that_was_not_created)
{
    const object_key key{"repo_never", object_type::data, crypto::sha256_hex("bytes")};
    EXPECT_EQ(code(store.receive(key, 1000)), fault_code::not_found);
    EXPECT_EQ(code(get(store, key)), fault_code::not_found);
    EXPECT_EQ(code(store.list("repo_never", object_type::data)), fault_code::not_found);
    EXPECT_TRUE(store.create_repository("repo_1")) << "a second time";
}

TEST_P(blob_store_suite, refuses_keys_that_are_none)
{
    for (const auto& key :
         {object_key{"../repo_1", object_type::data, std::string(64, 'a')},
          object_key{"repo_1", object_type::data, "../../config"}, object_key{"repo_1", object_type::data, ""},
          object_key{"repo_1", object_type::keys, std::string(64, 'A')},
          object_key{"repo_1", object_type::config, std::string(64, 'a')}}) {
        EXPECT_EQ(code(store.receive(key, 1000)), fault_code::invalid_value);
        EXPECT_EQ(code(store.open(key)), fault_code::invalid_value);
        EXPECT_EQ(code(store.size(key)), fault_code::invalid_value);
        EXPECT_EQ(code(store.remove(key)), fault_code::invalid_value);
    }
    EXPECT_EQ(code(store.create_repository("..")), fault_code::invalid_value);
    EXPECT_EQ(code(store.create_repository("a/b")), fault_code::invalid_value);
    EXPECT_EQ(code(store.list("..", object_type::data)), fault_code::invalid_value);
}

TEST_P(blob_store_suite, a_storage_that_is_away_is_not_empty)
{
    const auto key = key_of(object_type::data, "bytes");
    ASSERT_TRUE(put(store, key, "bytes"));
    EXPECT_TRUE(store.ready());
    place->take_away();
    EXPECT_EQ(code(store.ready()), fault_code::repository_unavailable);
    EXPECT_EQ(code(store.create_repository("repo_1")), fault_code::repository_unavailable);
    EXPECT_EQ(code(store.create_repository("repo_9")), fault_code::repository_unavailable);
    EXPECT_EQ(code(store.receive(key, 1000)), fault_code::repository_unavailable);
    EXPECT_EQ(code(get(store, key)), fault_code::repository_unavailable);
    EXPECT_EQ(code(store.size(key)), fault_code::repository_unavailable);
    EXPECT_EQ(code(store.remove(key)), fault_code::repository_unavailable);
    EXPECT_EQ(code(listed(store, object_type::data)), fault_code::repository_unavailable);
    place->bring_back();
    EXPECT_TRUE(store.ready());
    EXPECT_EQ(get(store, key).value(), "bytes");
    EXPECT_EQ(code(store.list("repo_9", object_type::data)), fault_code::not_found);
}

TEST_P(blob_store_suite, a_storage_that_goes_away_during_an_upload_refuses_it)
{
    for (const auto type : {object_type::data, object_type::config}) {
        const auto key = key_of(type, "bytes");
        auto in = store.receive(key, 1000);
        ASSERT_TRUE(in);
        ASSERT_TRUE((*in)->write(std::span{"bytes", 5}));
        place->take_away();
        EXPECT_EQ(code((*in)->commit()), fault_code::repository_unavailable);
        in->reset();
        place->bring_back();
        EXPECT_EQ(code(get(store, key)), fault_code::not_found);
    }
}

TEST_P(blob_store_suite, serves_many_threads)
{
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 25; ++i) {
                const auto own = std::to_string(t) + " " + std::to_string(i);
                const auto shared = std::to_string(i); // all threads send the same
                for (const auto& bytes : {own, shared}) {
                    const auto key = key_of(object_type::data, bytes);
                    if (!put(store, key, bytes) || get(store, key).value_or("") != bytes) ++failures;
                }
                if (!listed(store, object_type::data)) ++failures;
            }
        });
    for (auto& t : threads) t.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(listed(store, object_type::data)->size(), 4U * 25U + 25U);
}

} // namespace xentz::repo::suite
