// The store on a disk that fails or loses power at every single call: whatever was acknowledged is there afterwards,
// whatever is there is whole, and the same requests sent again succeed.
#include "contract/repo/blob_store_support.hpp"
#include "fakes/memory_files.hpp"
#include "repo/disk_blob_store.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <tuple>
#include <vector>

namespace xentz::repo::suite {
namespace {

using fakes::memory_files;
using fakes::survivors;

const std::string config_text = "the config";
const std::string removed_bytes = "an object that is removed";
const std::string large_bytes(20'000, 'L');

struct request {
    enum class what { create, put, remove };
    what kind = what::create;
    object_type type = object_type::config;
    std::string bytes = {};
    object_key key() const { return key_of(type, bytes); }
};

std::vector<request> session()
{
    using enum request::what;
    return {{create},
            {put, object_type::config, config_text},
            {put, object_type::keys, "a key"},
            {put, object_type::locks, "a lock"},
            {put, object_type::data, removed_bytes},
            {put, object_type::data, large_bytes},
            {put, object_type::index, "an index"},
            {put, object_type::data, large_bytes},
            {remove, object_type::data, removed_bytes},
            {put, object_type::snapshots, "a snapshot"},
            {put, object_type::config, config_text},
            {remove, object_type::locks, "a lock"}};
}

base::result<> done(blob_store& s, const request& r)
{
    if (r.kind == request::what::create) return s.create_repository("repo_1");
    if (r.kind == request::what::remove) return s.remove(r.key());
    return suite::put(s, r.key(), r.bytes);
}

// For each object of the session: must it be there, must it not, or may it be either way?
class expectation {
public:
    void sent(const request& r, bool acknowledged)
    {
        if (r.kind == request::what::create) return;
        auto& known = there_.try_emplace({r.type, r.bytes}, false).first->second;
        const bool wanted = r.kind == request::what::put;
        // A request that failed leaves the object as it was or as it was wanted.
        if (acknowledged)
            known = wanted;
        else if (known != wanted)
            known.reset();
    }

    void check(blob_store& s) const
    {
        for (const auto& [what, known] : there_) {
            const auto& [type, bytes] = what;
            const auto present = get(s, key_of(type, bytes));
            EXPECT_EQ(present.has_value(), known.value_or(present.has_value()))
                << name(type) << ": " << bytes.substr(0, 30);
            EXPECT_EQ(present.value_or(bytes), bytes);
            EXPECT_TRUE(present || code(present) == fault_code::not_found);
        }
        for (const auto type :
             {object_type::data, object_type::keys, object_type::locks, object_type::snapshots, object_type::index}) {
            const auto all = listed(s, type);
            EXPECT_TRUE(all || code(all) == fault_code::not_found); // the repository was never made
            if (!all) continue;
            for (const auto& [name, size] : *all) {
                const auto bytes = get(s, {"repo_1", type, name});
                ASSERT_TRUE(bytes);
                EXPECT_EQ(crypto::sha256_hex(*bytes), name);
                EXPECT_EQ(bytes->size(), size);
            }
        }
    }

private:
    std::map<std::pair<object_type, std::string>, std::optional<bool>> there_;
};

std::unique_ptr<disk_blob_store> opened(memory_files& fs)
{
    return std::move(disk_blob_store::open(fs, "/srv", "storage_1").value());
}

void run(blob_store& s, expectation& e)
{
    for (const auto& r : session()) e.sent(r, done(s, r).has_value());
}

void check_and_go_on(memory_files& fs, const expectation& e)
{
    const auto store = opened(fs);
    ASSERT_TRUE(store->ready());
    ASSERT_TRUE(store->sweep());
    e.check(*store);
    for (const auto& r : session()) {
        const auto again = done(*store, r);
        ASSERT_TRUE(again) << again.error().message;
    }
    EXPECT_EQ(get(*store, key_of(object_type::config, "")).value(), config_text);
    EXPECT_EQ(listed(*store, object_type::data).value(),
              (std::map<std::string, std::uint64_t>{{crypto::sha256_hex(large_bytes), large_bytes.size()}}));
    EXPECT_TRUE(listed(*store, object_type::locks).value().empty());
    for (const auto& [path, bytes] : fs.tree()) EXPECT_FALSE(path.starts_with("/srv/incoming")) << path;
}

std::string text_of(survivors s)
{
    return s == survivors::nothing ? "nothing" : s == survivors::names ? "names" : "everything";
}

// The next call to fail. The 256 folders of a new repository are all alike: some of them stand for all.
std::uint64_t after(std::uint64_t n) { return n > 10 && n < 240 ? n + 23 : n + 1; }

struct power_cut : testing::TestWithParam<survivors> {};
INSTANTIATE_TEST_SUITE_P(all, power_cut, testing::Values(survivors::nothing, survivors::names, survivors::everything),
                         [](const auto& tested) { return text_of(tested.param); });

TEST_P(power_cut, loses_nothing_that_was_acknowledged)
{
    bool ended = false;
    for (std::uint64_t n = 1; !ended; n = after(n)) {
        SCOPED_TRACE("power off at call " + std::to_string(n));
        memory_files fs;
        ASSERT_TRUE(initialise_storage(fs, "/srv", "storage_1"));
        expectation e;
        fs.power_off_at(n);
        run(*opened(fs), e);
        ended = fs.calls() < n;
        fs.restart(GetParam());
        check_and_go_on(fs, e);
        if (HasFatalFailure()) return;
    }
}

TEST_P(power_cut, leaves_a_storage_made_or_not_made)
{
    bool ended = false;
    for (std::uint64_t n = 1; !ended; n = after(n)) {
        SCOPED_TRACE("power off at call " + std::to_string(n));
        memory_files fs;
        fs.power_off_at(n);
        const bool acknowledged = initialise_storage(fs, "/srv", "storage_1").has_value();
        ended = fs.calls() < n;
        fs.restart(GetParam());
        EXPECT_TRUE(!acknowledged || opened(fs)->ready());
        ASSERT_TRUE(initialise_storage(fs, "/srv", "storage_1"));
        ASSERT_TRUE(opened(fs)->create_repository("repo_1"));
    }
}

// One call fails, the process goes on, and then the power goes: no later success may rest on the failed call.
using failure = std::tuple<fault_code, survivors>;
struct single_failure : testing::TestWithParam<failure> {};
INSTANTIATE_TEST_SUITE_P(all, single_failure,
                         testing::Combine(testing::Values(fault_code::file_failed, fault_code::disk_full),
                                          testing::Values(survivors::nothing, survivors::names, survivors::everything)),
                         [](const auto& tested) {
                             return std::string{std::get<0>(tested.param) == fault_code::disk_full ? "full"
                                                                                                   : "failed"} +
                                    "_" + text_of(std::get<1>(tested.param));
                         });

TEST_P(single_failure, loses_nothing_that_was_acknowledged)
{
    const auto [code_of_failure, left] = GetParam();
    bool ended = false;
    for (std::uint64_t n = 1; !ended; n = after(n)) {
        SCOPED_TRACE("failure of call " + std::to_string(n));
        memory_files fs;
        ASSERT_TRUE(initialise_storage(fs, "/srv", "storage_1"));
        expectation e;
        const auto store = opened(fs);
        fs.fail_at(n, code_of_failure);
        run(*store, e);
        ended = fs.calls() < n;
        fs.heal();
        // While it still runs, every object is whole as well.
        e.check(*store);
        // What failed is sent again, as clients do; then the power goes.
        if (n % 2 == 0) run(*store, e);
        fs.restart(left);
        check_and_go_on(fs, e);
        if (HasFatalFailure()) return;
    }
}

} // namespace
} // namespace xentz::repo::suite
