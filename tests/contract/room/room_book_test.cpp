// The contract of repo::room_book over the book in memory and the one in the fleet's database, on each engine.
#include "contract/store/fixture.hpp"
#include "fakes/fake_random.hpp"
#include "repo/memory_room_book.hpp"
#include "shared_room_book.hpp"

#include <atomic>
#include <barrier>
#include <thread>

namespace xentz::apps {
namespace {

using base::fault_code;
using repo::object_key;
using repo::object_type;

struct rows_as_source final : repo::room_source {
    explicit rows_as_source(store::object_journal o) : objects(std::move(o)) {}
    repo::room room_of(const std::string& id) override { return to_room(objects.room_of({id})); }
    store::object_journal objects;
};

// One device with a repository, on an empty database.
void enrol_web1(store::fleet_store& fleet)
{
    fleet.migrate();
    ASSERT_TRUE(fleet.add_tenant({{"ten_acme"}, "acme", "server", store::day}, "{}"));
    fleet.add_token({.id = {"tok_1"},
                     .tenant_id = {"ten_acme"},
                     .policy_name = "default",
                     .token_hash = "hash",
                     .created_at = store::day,
                     .expires_at = store::day + std::chrono::hours{1},
                     .revoked_at = {}});
    ASSERT_TRUE(fleet.enrol(store::make_enrolment("web1", "hash"), store::day, store::window).result);
}

struct tested {
    std::string name;
    test::engine engine;
    bool is_shared;
};

class room_book : public testing::TestWithParam<tested> {
protected:
    void SetUp() override
    {
        enrol_web1(fleet);
        quota(100);
    }
    void quota(std::int64_t bytes) { objects.put_rule({.owner = "repo_web1", .quota_bytes = bytes}); }

    static object_key key(const std::string& name) { return {"repo_web1", object_type::data, name}; }
    void arrive(const std::string& name, std::int64_t bytes)
    {
        objects.arrived({"repo_web1"}, {"data", name, name, bytes}, store::day);
    }

    test::fresh_database fresh{GetParam().engine};
    store::fleet_store fleet{sql::open_database(fresh.address())};
    store::object_journal objects = fleet.objects();
    fakes::fake_random random;
    rows_as_source counted{objects};
    repo::memory_room_book in_memory{counted};
    shared_room_book shared{fleet.reservations(), random};
    repo::room_book& book = GetParam().is_shared ? static_cast<repo::room_book&>(shared) : in_memory;
};

INSTANTIATE_TEST_SUITE_P(each, room_book,
                         testing::Values(tested{"memory", test::engine::sqlite, false},
                                         tested{"sqlite", test::engine::sqlite, true},
                                         tested{"postgresql", test::engine::postgresql, true}),
                         [](const auto& chosen) { return chosen.param.name; });

TEST_P(room_book, is_exact_to_the_byte)
{
    auto first = book.reserve(key("a"), 60);
    ASSERT_TRUE(first);
    const auto refused = book.reserve(key("b"), 41);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, fault_code::repository_full);
    EXPECT_TRUE(book.reserve(key("b"), 40));
}

TEST_P(room_book, what_is_given_back_is_there_again)
{
    ASSERT_TRUE(book.reserve(key("a"), 100)) << "and given back at once";
    EXPECT_TRUE(book.reserve(key("b"), 100));
}

TEST_P(room_book, an_object_that_arrived_is_counted_once)
{
    auto reserved = book.reserve(key("a"), 60);
    ASSERT_TRUE(reserved);
    ASSERT_TRUE((*reserved)->settle());
    arrive("a", 60);
    reserved->reset();
    EXPECT_TRUE(book.reserve(key("b"), 40));
    EXPECT_FALSE(book.reserve(key("b"), 41));
}

TEST_P(room_book, parallel_uploads_fill_it_to_the_byte_and_no_further)
{
    constexpr int uploads = 8;
    for (int round = 1; round <= 5; ++round) {
        quota(round * 100);
        std::atomic<int> accepted{0};
        std::barrier together{uploads};
        std::vector<std::thread> threads;
        for (int t = 0; t < uploads; ++t)
            threads.emplace_back([&, t] {
                const auto name = std::to_string(round) + "-" + std::to_string(t);
                together.arrive_and_wait();
                auto reserved = book.reserve(key(name), 20);
                if (!reserved) return;
                EXPECT_TRUE((*reserved)->settle());
                arrive(name, 20);
                ++accepted;
            });
        for (auto& t : threads) t.join();
        EXPECT_EQ(accepted, 5);
        EXPECT_EQ(objects.room_of({"repo_web1"}).live_bytes, round * 100);
    }
}

TEST(shared_rooms, a_reservation_that_another_server_took_for_abandoned_is_made_again_or_refused)
{
    const test::fresh_database fresh{test::engine::sqlite};
    auto db = sql::open_database(fresh.address());
    store::fleet_store fleet{db};
    enrol_web1(fleet);
    auto objects = fleet.objects();
    objects.put_rule({.owner = "repo_web1", .quota_bytes = 100});
    fakes::fake_random random;
    shared_room_book book{fleet.reservations(), random};
    const auto forget_all = [&] { db->write([](sql::connection& c) { c.query("delete from upload_reservation"); }); };

    auto reserved = book.reserve({"repo_web1", object_type::data, "a"}, 60);
    ASSERT_TRUE(reserved);
    forget_all();
    EXPECT_TRUE((*reserved)->settle());
    EXPECT_EQ(objects.room_of({"repo_web1"}).reserved_bytes, 60);
    forget_all();
    objects.arrived({"repo_web1"}, {"data", "b", "b", 50}, store::day);
    const auto refused = (*reserved)->settle();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, fault_code::repository_full);
}

} // namespace
} // namespace xentz::apps
