#include "fixture.hpp"

namespace xentz::store {
namespace {

using namespace std::chrono_literals;

class scrubbing : public fleet_store_test {
protected:
    void SetUp() override
    {
        fleet_store_test::SetUp();
        enrolled_device("web1");
        enrolled_device("web2");
        for (const auto* name : {"a", "b", "c"}) objects.arrived(id, {"data", name, name, 10}, day);
        objects.arrived(id, {"locks", "l", "l", 1}, day);
    }
    object_journal objects = store.objects();
    scrub_log log = store.scrubs();
    domain::repository_id id{"repo_web1"};
};
XENTZ_ON_EACH_ENGINE(scrubbing);

TEST_P(scrubbing, walks_every_repository_and_what_it_holds)
{
    EXPECT_EQ(log.repository_after({}), id);
    EXPECT_EQ(log.repository_after(id), domain::repository_id{"repo_web2"});
    EXPECT_FALSE(log.repository_after({"repo_web2"}));
    objects.departing(id, {"data", "a", "a", 10}, day + 1s); // into the trash
    const auto some = log.objects_after(id, 0, 2);
    ASSERT_EQ(some.size(), 2U);
    EXPECT_EQ(some[0].name, "a");
    EXPECT_TRUE(some[0].in_trash);
    const auto rest = log.objects_after(id, some[1].place, 100);
    ASSERT_EQ(rest.size(), 1U) << "no locks";
    EXPECT_EQ(rest[0].name, "c");
    ASSERT_TRUE(objects.purged(id, some[0].place));
    EXPECT_EQ(log.objects_after(id, 0, 100).size(), 2U);
}

TEST_P(scrubbing, of_two_who_move_on_one_wins)
{
    EXPECT_FALSE(log.position());
    scrub_position first{.began_at = day, .advanced_at = day, .worker = "one", .ended_at = {}, .last_round_at = {}};
    EXPECT_TRUE(log.advance(std::nullopt, first));
    EXPECT_FALSE(log.advance(std::nullopt, first)) << "somebody began already";
    EXPECT_THAT(*log.position(), same_row(first));
    auto next = first;
    next.repository_id = id;
    next.place = 2;
    next.objects = 2;
    next.bytes = 20;
    next.advanced_at = day + 5s;
    EXPECT_TRUE(log.advance(first, next));
    auto late = first;
    late.worker = "two";
    late.advanced_at = day + 6s;
    EXPECT_FALSE(log.advance(first, late));
    next.ended_at = next.last_round_at = day + 9s;
    EXPECT_FALSE(log.advance(late, next));
    EXPECT_TRUE(log.advance(*log.position(), next));
    EXPECT_THAT(*log.position(), same_row(next));
}

TEST_P(scrubbing, knows_damage_until_it_is_whole_or_gone)
{
    const object_damage found{id, 2, "its bytes have changed", day, day};
    log.damaged(found);
    auto again = found;
    again.found_at = again.seen_at = day + 24h;
    log.damaged(again);
    const auto known = log.damages();
    ASSERT_EQ(known.size(), 1U);
    EXPECT_EQ(known[0].object.name, "b");
    EXPECT_EQ(known[0].damage.found_at, day);
    EXPECT_EQ(known[0].damage.seen_at, day + 24h);
    EXPECT_TRUE(log.damages(domain::repository_id{"repo_web2"}).empty());
    EXPECT_EQ(log.damages(id).size(), 1U);
    const auto place = objects.departing(id, {"data", "b", "b", 10}, day + 25h);
    EXPECT_EQ(log.damages().size(), 1U) << "in the trash it can still be put back";
    ASSERT_TRUE(objects.purged(id, *place));
    EXPECT_TRUE(log.damages().empty());
    log.damaged({id, 3, "its bytes have changed", day, day});
    log.whole(id, 3);
    EXPECT_TRUE(log.damages().empty());
}

} // namespace
} // namespace xentz::store
