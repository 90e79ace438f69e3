// The store under concurrent load on a disk that fails at random calls, full, damaged or with half a write, and then
// loses what was not synced: whatever was acknowledged is there afterwards, and no partial object is ever visible.
// XENTZ_TEST_FAULTS says how many plans (script/test --soak: 300); XENTZ_TEST_SEED repeats a run.
#include "contract/repo/blob_store_support.hpp"
#include "fakes/memory_files.hpp"
#include "repo/disk_blob_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <thread>
#include <vector>

namespace xentz::repo::suite {
namespace {

using fakes::memory_files;
using fakes::survivors;

constexpr std::array types{object_type::data, object_type::keys, object_type::locks, object_type::snapshots,
                           object_type::index};
constexpr std::array repositories{"repo_1", "repo_2"};
constexpr unsigned clients_of_each = 3;
constexpr unsigned requests_of_each = 25;

std::uint64_t number_of(const char* variable, std::uint64_t otherwise)
{
    const auto* text = std::getenv(variable); // NOLINT(concurrency-mt-unsafe): before any thread
    const auto n = text != nullptr ? std::strtoull(text, nullptr, 10) : 0;
    return n != 0 ? n : otherwise;
}

std::uint64_t between(std::mt19937_64& dice, std::uint64_t low, std::uint64_t high)
{
    return std::uniform_int_distribution<std::uint64_t>{low, high}(dice);
}

// One client of one repository. What it stores is its own, but for a few objects that all clients of the repository
// send, and that none of them removes.
class client {
public:
    client(std::string repository, unsigned number, std::uint64_t seed)
        : repository_(std::move(repository)), number_(number), dice_(seed)
    {
    }

    void work(blob_store& s)
    {
        for (unsigned i = 0; i < requests_of_each; ++i) {
            const auto choice = between(dice_, 0, 9);
            if (choice == 0) look_at_a_list(s);
            if (choice == 1 && !own_.empty()) remove(s, own_[between(dice_, 0, own_.size() - 1)]);
            if (choice == 2) put(s, "shared " + std::to_string(between(dice_, 0, 3)), object_type::data);
            if (choice > 2) put_own(s, i);
        }
    }

    // Everything once more, as clients do after a failure; nothing fails any more.
    void send_again(blob_store& s)
    {
        for (auto& o : own_) put(s, o.bytes, o.type);
        for (const auto& o : own_) EXPECT_EQ(get(s, key(o.type, o.bytes)).value_or("lost"), o.bytes);
    }

    // What was acknowledged lasts, a removal too.
    void check(blob_store& s) const
    {
        for (const auto& o : own_) {
            const auto present = get(s, key(o.type, o.bytes));
            EXPECT_TRUE(present || code(present) == fault_code::not_found);
            EXPECT_EQ(present.has_value(), o.there.value_or(present.has_value())) << name(o.type) << " of " << number_;
            EXPECT_EQ(present.value_or(o.bytes), o.bytes);
        }
        for (const auto& bytes : shared_) EXPECT_EQ(get(s, key(object_type::data, bytes)).value_or("lost"), bytes);
    }

    // Nothing listed is partial, now or later.
    void check_lists(blob_store& s) const
    {
        for (const auto type : types) check_list(s, type);
    }

    unsigned failures() const { return failures_; }

private:
    struct object {
        object_type type;
        std::string bytes;
        std::optional<bool> there; // nothing: a request about it failed, so either may be
    };

    object_key key(object_type type, std::string_view bytes) const
    {
        return {repository_, type, crypto::sha256_hex(bytes)};
    }

    void put_own(blob_store& s, unsigned i)
    {
        std::string bytes = std::to_string(number_) + "/" + std::to_string(i) + " ";
        bytes.resize(bytes.size() + between(dice_, 0, 30'000), static_cast<char>('a' + i % 26));
        const auto type = types.at(between(dice_, 0, types.size() - 1));
        own_.push_back({type, bytes, false});
        const bool acknowledged = put(s, bytes, type);
        own_.back().there = acknowledged ? std::optional{true} : std::nullopt;
    }

    bool put(blob_store& s, const std::string& bytes, object_type type)
    {
        const bool done = suite::put(s, key(type, bytes), bytes).has_value();
        if (done && bytes.starts_with("shared")) shared_.push_back(bytes);
        failures_ += done ? 0 : 1;
        return done;
    }

    void remove(blob_store& s, object& o)
    {
        const bool done = s.remove(key(o.type, o.bytes)).has_value();
        if (done)
            o.there = false;
        else if (o.there != false)
            o.there.reset();
        failures_ += done ? 0 : 1;
    }

    void look_at_a_list(blob_store& s) { check_list(s, types.at(between(dice_, 0, types.size() - 1))); }

    void check_list(blob_store& s, object_type type) const
    {
        const auto all = listed(s, type, repository_);
        if (!all) return; // it broke off, which is no list
        for (const auto& [listed_name, size] : *all) {
            const auto bytes = get(s, {repository_, type, listed_name});
            if (!bytes) continue; // removed meanwhile, or the disk failed
            EXPECT_EQ(crypto::sha256_hex(*bytes), listed_name);
            EXPECT_EQ(bytes->size(), size);
        }
    }

    std::string repository_;
    unsigned number_;
    std::mt19937_64 dice_;
    std::vector<object> own_;
    std::vector<std::string> shared_; // acknowledged
    unsigned failures_ = 0;
};

std::vector<client> clients(std::uint64_t seed)
{
    std::vector<client> out;
    for (const auto* repository : repositories)
        for (unsigned i = 0; i < clients_of_each; ++i) out.emplace_back(repository, i, seed * 100 + out.size());
    return out;
}

void work_at_once(std::vector<client>& all, blob_store& s)
{
    std::vector<std::jthread> threads;
    threads.reserve(all.size());
    for (auto& c : all) threads.emplace_back([&c, &s] { c.work(s); });
}

// A session has some thousand calls; a plan lets one to twelve of them fail.
std::map<std::uint64_t, fault_code> random_plan(std::mt19937_64& dice)
{
    std::map<std::uint64_t, fault_code> out;
    const auto faults = between(dice, 1, 12);
    for (std::uint64_t i = 0; i < faults; ++i)
        out[between(dice, 1, 1500)] = between(dice, 0, 1) == 0 ? fault_code::disk_full : fault_code::file_failed;
    return out;
}

std::unique_ptr<disk_blob_store> opened(memory_files& fs)
{
    return std::move(disk_blob_store::open(fs, "/srv", "storage_1").value());
}

unsigned run_plan(std::uint64_t seed)
{
    std::mt19937_64 dice{seed};
    memory_files fs;
    EXPECT_TRUE(initialise_storage(fs, "/srv", "storage_1"));
    auto store = opened(fs);
    for (const auto* repository : repositories) EXPECT_TRUE(store->create_repository(repository));
    auto all = clients(seed);

    // The power goes in the middle of one plan in three.
    if (between(dice, 0, 2) == 0) fs.power_off_at(between(dice, 1, 1500));
    fs.plan(random_plan(dice));
    work_at_once(all, *store);
    const auto left = static_cast<survivors>(between(dice, 0, 2));
    if (between(dice, 0, 1) == 0) {
        fs.heal();
        for (const auto& c : all) c.check(*store); // while it still runs
    }
    store.reset();
    fs.restart(left);
    store = opened(fs);
    EXPECT_TRUE(store->sweep());
    unsigned failures = 0;
    for (const auto& c : all) {
        c.check(*store);
        c.check_lists(*store);
        failures += c.failures();
    }
    for (auto& c : all) c.send_again(*store);
    for (const auto& [path, bytes] : fs.tree()) EXPECT_FALSE(path.starts_with("/srv/incoming")) << path;
    return failures;
}

TEST(random_faults, lose_nothing_that_was_acknowledged)
{
    const auto plans = number_of("XENTZ_TEST_FAULTS", 50);
    const auto first = number_of("XENTZ_TEST_SEED", std::random_device{}());
    std::cout << plans << " plans from seed " << first << "\n";
    unsigned failures = 0;
    for (auto seed = first; seed < first + plans && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        failures += run_plan(seed);
    }
    EXPECT_GT(failures, plans) << "the faults were to hit requests";
    std::cout << failures << " requests failed\n";
}

} // namespace
} // namespace xentz::repo::suite
