#include "fixture.hpp"

#include <atomic>
#include <thread>

namespace xentz::store {
namespace {

class reservations : public fleet_store_test {
protected:
    void SetUp() override
    {
        fleet_store_test::SetUp();
        enrolled_device("web1");
        enrolled_device("web2");
    }
    upload_reservation upload(const std::string& name, std::int64_t bytes = 10, const std::string& device = "web1")
    {
        return {.id = "upl_" + name, .repository_id = {"repo_" + device}, .type = "data", .name = name, .bytes = bytes};
    }
    room seen(const std::string& device = "web1") { return objects.room_of({"repo_" + device}); }

    object_journal objects = store.objects();
    std::shared_ptr<upload_reservations> one = store.reservations();
    std::shared_ptr<upload_reservations> other = fleet_store{sql::open_database(fresh.address())}.reservations();
};
XENTZ_ON_EACH_ENGINE(reservations);

bool always(const room&) { return true; }

TEST_P(reservations, count_until_their_object_arrives)
{
    ASSERT_TRUE(one->reserve(upload("a"), always));
    ASSERT_TRUE(other->reserve(upload("b", 5, "web2"), always));
    EXPECT_EQ(seen().reserved_bytes, 10);
    EXPECT_EQ(seen().tenant_reserved_bytes, 15);
    EXPECT_EQ(seen("web2").reserved_bytes, 5);
    EXPECT_TRUE(one->stands("upl_a"));
    objects.arrived({"repo_web1"}, {"data", "a", "a", 10}, day);
    EXPECT_FALSE(one->stands("upl_a"));
    EXPECT_EQ(seen().reserved_bytes, 0);
    EXPECT_EQ(seen().live_bytes, 10);
    other->release("upl_b");
    EXPECT_EQ(seen().tenant_reserved_bytes, 0);
    other->release("upl_b");
}

TEST_P(reservations, that_do_not_fit_are_not_made)
{
    ASSERT_TRUE(one->reserve(upload("a"), always));
    std::vector<std::int64_t> asked;
    const auto fits = [&](const room& r) {
        asked.push_back(r.tenant_reserved_bytes);
        return r.tenant_reserved_bytes + 10 <= 15;
    };
    EXPECT_FALSE(other->reserve(upload("b"), fits));
    EXPECT_EQ(asked, (std::vector<std::int64_t>{10}));
    EXPECT_FALSE(other->stands("upl_b"));
}

TEST_P(reservations, of_a_server_that_is_gone_are_in_nobodys_way)
{
    ASSERT_TRUE(one->reserve(upload("a"), always));
    const auto fits = [](const room& r) { return r.reserved_bytes + 10 <= 15; };
    EXPECT_FALSE(other->reserve(upload("b"), fits)) << "it lives";
    one.reset();
    EXPECT_TRUE(other->reserve(upload("b"), fits));
    EXPECT_EQ(seen().reserved_bytes, 10);
}

TEST_P(reservations, of_one_number_go_when_another_server_takes_it)
{
    ASSERT_TRUE(one->reserve(upload("a"), always));
    one = store.reservations();
    ASSERT_TRUE(one->reserve(upload("c", 1), always));
    EXPECT_EQ(seen().reserved_bytes, 1);
}

TEST_P(reservations, never_exceed_what_fits_whoever_asks)
{
    std::atomic<int> accepted{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            auto& server = *(t % 2 == 0 ? one : other);
            const auto device = t % 4 < 2 ? "web1" : "web2";
            const auto fits = [](const room& r) { return r.tenant_live_bytes + r.tenant_reserved_bytes + 10 <= 50; };
            const auto name = std::to_string(t);
            if (!server.reserve(upload(name, 10, device), fits)) return;
            ++accepted;
            objects.arrived({std::string{"repo_"} + device}, {"data", name, name, 10}, day);
        });
    for (auto& t : threads) t.join();
    EXPECT_EQ(accepted, 5) << "a refusal is exact, too: nothing is counted twice";
    EXPECT_EQ(seen().tenant_live_bytes, 50);
    EXPECT_EQ(seen().tenant_reserved_bytes, 0);
}

} // namespace
} // namespace xentz::store
