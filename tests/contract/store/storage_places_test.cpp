#include "fixture.hpp"

namespace xentz::store {
namespace {

using namespace std::chrono_literals;

class places_test : public fleet_store_test {
protected:
    void SetUp() override
    {
        fleet_store_test::SetUp();
        enrolled_device("web1");
        ASSERT_TRUE(places.add({"storage_2", "file:/second", day}));
    }
    object_identity object(const std::string& name) { return {"data", name, name, 10}; }
    std::int64_t place() { return objects.state(id).place; }

    object_journal objects = store.objects();
    storage_places places = store.places();
    domain::repository_id id{"repo_web1"};
};
XENTZ_ON_EACH_ENGINE(places_test);

TEST_P(places_test, knows_the_other_storages)
{
    EXPECT_THAT(places.all(), testing::ElementsAre(same_row(storage_row{"storage_2", "file:/second", day})));
    EXPECT_FALSE(places.add({"storage_2", "file:/third", day}));
    EXPECT_FALSE(places.add({"storage_3", "file:/second", day}));
    places.set_address("storage_2", "file:/elsewhere");
    EXPECT_EQ(places.find("storage_2")->address, "file:/elsewhere");
    EXPECT_FALSE(places.find("storage_3"));
}

TEST_P(places_test, a_repository_lies_on_the_own_storage_until_it_is_moved)
{
    EXPECT_EQ(places.storage_of(id), "");
    ASSERT_TRUE(places.move_to(id, "storage_2", place(), day));
    EXPECT_EQ(places.storage_of(id), "storage_2");
    EXPECT_THAT(places.on("storage_2"), testing::ElementsAre(id));
    ASSERT_TRUE(places.move_to(id, "", place(), day));
    EXPECT_EQ(places.storage_of(id), "");
    EXPECT_TRUE(places.on("storage_2").empty());
}

TEST_P(places_test, a_move_that_has_not_seen_everything_does_not_happen)
{
    objects.arrived(id, object("a"), day, "");
    objects.arrived(id, {"locks", "l", "l", 1}, day, "");
    const auto before = place();
    objects.departing(id, {"locks", "l", "l", 1}, day, false, "");
    EXPECT_FALSE(places.move_to(id, "storage_2", before, day)) << "a lock has gone, which leaves no row";
    const auto then = place();
    objects.arrived(id, object("b"), day, "");
    EXPECT_FALSE(places.move_to(id, "storage_2", then, day));
    EXPECT_EQ(places.storage_of(id), "");
    EXPECT_TRUE(places.move_to(id, "storage_2", place(), day));
}

TEST_P(places_test, nothing_is_written_for_bytes_on_the_storage_that_it_has_left)
{
    objects.arrived(id, object("a"), day, "");
    ASSERT_TRUE(places.move_to(id, "storage_2", place(), day));
    const auto later = day + 1min;
    EXPECT_THROW(objects.arrived(id, object("b"), later, ""), sql::error);
    EXPECT_THROW(objects.departing(id, object("a"), later, false, ""), sql::error);
    EXPECT_THROW(objects.lost(id, objects.present(id, "data", "a")->place, later, ""), sql::error);
    EXPECT_THROW(objects.adopt_trash(id, 100, object("c"), later, ""), sql::error);
    EXPECT_FALSE(objects.present(id, "data", "b"));
    EXPECT_TRUE(objects.present(id, "data", "a"));
    EXPECT_TRUE(objects.arrived(id, object("b"), later, "storage_2"));
}

TEST_P(places_test, a_closed_repository_opens_by_itself)
{
    places.close(id, day + 1min);
    EXPECT_THROW(objects.arrived(id, object("a"), day, ""), sql::error);
    EXPECT_TRUE(objects.arrived(id, object("a"), day + 1min, ""));
    places.close(id, day + 10min);
    places.open(id);
    EXPECT_TRUE(objects.arrived(id, object("b"), day + 2min, ""));
    ASSERT_TRUE(places.move_to(id, "storage_2", place(), day + 3min));
    EXPECT_THROW(objects.arrived(id, object("c"), day + 3min + storage_places::believed_for, "storage_2"), sql::error)
        << "while another server may still look for it on the old one";
    EXPECT_TRUE(objects.arrived(id, object("c"), day + 3min + 3 * storage_places::believed_for, "storage_2"));
}

TEST_P(places_test, many_objects_arrive_together_or_not_at_all)
{
    objects.arrived_together({{id, object("a"), day, {}}, {id, object("b"), day, ""}});
    EXPECT_EQ(objects.room_of(id).live_bytes, 20);
    EXPECT_ANY_THROW(objects.arrived_together({{id, object("c"), day, {}}, {id, object("d"), day, "storage_2"}}));
    EXPECT_FALSE(objects.present(id, "data", "c"));
}

} // namespace
} // namespace xentz::store
