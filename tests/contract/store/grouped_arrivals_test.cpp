#include "fixture.hpp"

#include "store/grouped_arrivals.hpp"

#include <atomic>
#include <thread>

namespace xentz::store {
namespace {

class grouped : public fleet_store_test {
protected:
    void SetUp() override
    {
        fleet_store_test::SetUp();
        enrolled_device("web1");
        enrolled_device("web2");
    }
    object_journal objects = store.objects();
    grouped_arrivals arrivals{objects};
};
XENTZ_ON_EACH_ENGINE(grouped);

TEST_P(grouped, each_of_many_at_once_is_stored_when_its_call_returns)
{
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            const domain::repository_id id{t % 2 == 0 ? "repo_web1" : "repo_web2"};
            for (int i = 0; i < 25; ++i) {
                const auto name = std::to_string(t) + "-" + std::to_string(i);
                arrivals.arrived({id, {"data", name, name, 10}, day, ""});
                EXPECT_TRUE(objects.present(id, "data", name));
            }
        });
    for (auto& t : threads) t.join();
    for (const auto* device : {"web1", "web2"}) {
        const auto s = objects.state({std::string{"repo_"} + device});
        EXPECT_EQ(s.live_objects, 100);
        EXPECT_EQ(s.live_bytes, 1000);
        EXPECT_EQ(s.place, 100);
    }
}

TEST_P(grouped, one_that_cannot_be_stored_fails_no_other_one)
{
    store.places().close({"repo_web2"}, day + std::chrono::hours{1});
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            const domain::repository_id id{t % 4 == 0 ? "repo_web2" : "repo_web1"};
            for (int i = 0; i < 10; ++i) {
                const auto name = std::to_string(t) + "-" + std::to_string(i);
                try {
                    arrivals.arrived({id, {"data", name, name, 10}, day, ""});
                } catch (const sql::error&) {
                    ++refused;
                }
            }
        });
    for (auto& t : threads) t.join();
    EXPECT_EQ(refused, 20);
    EXPECT_EQ(objects.state({"repo_web1"}).live_objects, 60);
    EXPECT_EQ(objects.state({"repo_web2"}).live_objects, 0);
}

} // namespace
} // namespace xentz::store
