#include "fixture.hpp"
#include "store/journal_steps.hpp"

#include <barrier>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

namespace xentz::store {
namespace {

using namespace std::chrono_literals;

class journal : public fleet_store_test {
protected:
    void SetUp() override
    {
        fleet_store_test::SetUp();
        enrolled_device("web1");
        id = domain::repository_id{"repo_web1"};
    }
    static object_identity object(const std::string& name, std::int64_t bytes = 10, const std::string& type = "data")
    {
        return {type, name, type == "config" ? "hash of " + name : name, bytes};
    }
    // What a call answers on so many threads that make it at once.
    static constexpr int threads = 8;
    static std::multiset<std::int64_t> at_once(const std::function<std::int64_t()>& call)
    {
        std::multiset<std::int64_t> out;
        std::mutex mutex;
        std::barrier gate{threads};
        std::vector<std::jthread> running;
        for (int t = 0; t < threads; ++t)
            running.emplace_back([&] {
                gate.arrive_and_wait();
                std::int64_t answer = -1;
                try {
                    answer = call();
                } catch (const std::exception& e) {
                    ADD_FAILURE() << e.what();
                }
                const std::lock_guard guard{mutex};
                out.insert(answer);
            });
        running.clear(); // waits for all of them
        return out;
    }
    static object_identity config(const std::string& text) { return {"config", "", "hash of " + text, 5}; }
    object_journal objects = store.objects();
    domain::repository_id id;
};
XENTZ_ON_EACH_ENGINE(journal);

// What millions of rows are asked for must not read all of them: SQLite, which plans by rules and not by what there is,
// says how it would look.
TEST(queries_of_the_journal, read_no_more_than_they_find)
{
    const test::fresh_database fresh{test::engine::sqlite};
    const auto db = sql::open_database(fresh.address());
    fleet_store{db}.migrate();
    const auto plan = [&](const std::string& query, const auto&... arguments) {
        return db->read([&](sql::connection& c) {
            const auto rows = c.query("explain query plan select bytes " + query, arguments...);
            return rows.template get<std::string>(0, 3) + (rows.size() > 1 ? " and more" : "");
        });
    };
    EXPECT_EQ(plan(detail::lives_by_hash, "r", "data", "h"),
              "SEARCH object_life USING INDEX object_life_hash (repository_id=? AND type=? AND hash=?)");
    EXPECT_EQ(plan(detail::newest_in_trash, "r", "data", "n", "h"),
              "SEARCH object_life USING INDEX object_life_hash (repository_id=? AND type=? AND hash=?)");
    EXPECT_EQ(plan(detail::whole_trash, "r"), "SEARCH object_life USING INDEX object_life_trash (repository_id=?)");
}

TEST_P(journal, counts_what_comes_and_goes)
{
    EXPECT_TRUE(objects.arrived(id, object("a"), day));
    EXPECT_FALSE(objects.arrived(id, object("a"), day)) << "again";
    EXPECT_TRUE(objects.arrived(id, object("b", 20), day + 1s));
    EXPECT_EQ(objects.departing(id, object("a"), day + 2s), 1);
    const auto s = objects.state(id);
    EXPECT_EQ(s.live_objects, 1);
    EXPECT_EQ(s.live_bytes, 20);
    EXPECT_EQ(s.trash_objects, 1);
    EXPECT_EQ(s.trash_bytes, 10);
    const auto types = objects.usage_by_type(id);
    ASSERT_EQ(types.size(), 1U);
    EXPECT_EQ(types[0].live_bytes, 20);
    EXPECT_EQ(types[0].trash_bytes, 10);
    EXPECT_EQ(types[0].newest_at, day + 1s);
    const auto room = objects.room_of(id);
    EXPECT_EQ(room.tenant, acme.id);
    EXPECT_EQ(room.tenant_live_bytes, 20);
    EXPECT_EQ(room.tenant_trash_bytes, 10);
}

// As when a client, or a proxy before several servers, repeats what is still being worked on.
TEST_P(journal, the_same_at_once_counts_once)
{
    for (int round = 1; round <= 10; ++round) {
        const auto o = object(std::to_string(round));
        const auto came = at_once([&] { return objects.arrived(id, o, day) ? 1 : 0; });
        EXPECT_EQ(came.count(1), 1U);
        const auto place = objects.present(id, "data", o.name).value().place;
        const auto left = at_once([&] { return objects.departing(id, o, day).value_or(0); });
        EXPECT_EQ(left.count(place), static_cast<std::size_t>(threads)) << "to one place of the trash";
        const auto s = objects.state(id);
        EXPECT_EQ(s.live_objects, 0);
        EXPECT_EQ(s.live_bytes, 0);
        EXPECT_EQ(s.trash_objects, round);
        EXPECT_EQ(s.trash_bytes, round * 10);
    }
    const auto back = at_once([&] { return objects.returned(id, 1, day).value_or(0); });
    EXPECT_EQ(back.count(0), static_cast<std::size_t>(threads - 1));
    const auto oldest = objects.in_trash(id).front().place;
    const auto gone = at_once([&] { return objects.purged(id, oldest) ? 1 : 0; });
    EXPECT_EQ(gone.count(1), 1U);
    const auto s = objects.state(id);
    EXPECT_EQ(s.live_objects, 1);
    EXPECT_EQ(s.trash_objects, 8);
    EXPECT_EQ(s.trash_bytes, 80);
}

TEST_P(journal, knows_what_left_for_good)
{
    objects.arrived(id, object("a", 10), day);                  // 1
    objects.arrived(id, object("b", 20), day);                  // 2
    objects.arrived(id, object("s", 1, "snapshots"), day);      // 3
    objects.arrived(id, object("t", 1, "snapshots"), day + 1s); // 4
    objects.arrived(id, object("l", 1, "locks"), day);          // 5
    objects.departing(id, object("a", 10), day + 2s);           // 6
    objects.departing(id, object("b", 20), day + 2s);           // 7
    objects.departing(id, object("s", 1, "snapshots"), day + 2s);
    objects.departing(id, object("l", 1, "locks"), day + 2s);
    objects.arrived(id, object("b", 20), day + 3s); // and it came back

    const auto gone = objects.departures_since(id, 5);
    ASSERT_EQ(gone.size(), 2U);
    EXPECT_EQ(gone[0].type, "data");
    EXPECT_EQ(gone[0].objects, 1);
    EXPECT_EQ(gone[0].bytes, 10);
    EXPECT_EQ(gone[1].type, "snapshots");
    EXPECT_TRUE(objects.departures_since(id, objects.state(id).place).empty());

    const auto seen = objects.snapshots_since(id, 5);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].hash, "s");
    EXPECT_EQ(seen[0].came_at, day);
    EXPECT_FALSE(seen[0].present);
    EXPECT_TRUE(seen[1].present);
    EXPECT_EQ(objects.snapshots_since(id, objects.state(id).place).size(), 1U);

    EXPECT_TRUE(objects.returned(id, 3, day + 9s));
    const auto back = objects.snapshots_since(id, 5);
    ASSERT_EQ(back.size(), 2U);
    EXPECT_TRUE(back[0].present);
    EXPECT_EQ(back[0].came_at, day) << "when it first came";
    EXPECT_EQ(objects.departures_since(id, 5).size(), 1U);
}

TEST_P(journal, a_place_in_it_stands_for_an_instant)
{
    objects.arrived(id, object("a"), day);         // 1
    objects.arrived(id, object("b"), day + 10s);   // 2
    objects.departing(id, object("a"), day + 20s); // 3
    EXPECT_EQ(objects.place_before(id, day), 0);
    EXPECT_EQ(objects.place_before(id, day + 1s), 1);
    EXPECT_EQ(objects.place_before(id, day + 10s), 1);
    EXPECT_EQ(objects.place_before(id, day + 20s), 2);
    EXPECT_EQ(objects.place_before(id, day + 21s), 3);
    EXPECT_EQ(objects.changes_since(id, 2).size(), 1U);
    EXPECT_EQ(objects.changes_since(id, 3).size(), 0U);
}

TEST_P(journal, locks_and_full_protection_keep_nothing)
{
    objects.arrived(id, object("lock", 1, "locks"), day);
    EXPECT_FALSE(objects.departing(id, object("lock", 1, "locks"), day));
    objects.put_rule({.owner = acme.id.text, .mode = "full"});
    objects.arrived(id, object("a"), day);
    EXPECT_FALSE(objects.departing(id, object("a"), day));
    EXPECT_EQ(objects.state(id).trash_objects, 0);
    EXPECT_EQ(objects.state(id).live_bytes, 0);
    objects.arrived(id, object("b"), day);
    EXPECT_TRUE(objects.departing(id, object("b"), day, true)) << "an administrator's removal never loses anything";
}

TEST_P(journal, a_repository_may_differ_from_its_tenant)
{
    EXPECT_EQ(objects.rule_of(id).mode, "guarded");
    EXPECT_EQ(objects.rule_of(id).trash_days, 30);
    objects.put_rule({.owner = acme.id.text,
                      .mode = "append-only",
                      .trash_days = 7,
                      .quota_bytes = 1000,
                      .repository_quota_bytes = 100});
    objects.put_rule({.owner = id.text, .mode = "full"});
    const auto r = objects.rule_of(id);
    EXPECT_EQ(r.mode, "full");
    EXPECT_EQ(r.trash_days, 7);
    EXPECT_EQ(r.quota_bytes, 100);
    EXPECT_EQ(r.tenant_quota_bytes, 1000);
    objects.put_rule({.owner = id.text, .quota_bytes = 50});
    EXPECT_EQ(objects.rule_of(id).mode, "append-only");
    EXPECT_EQ(objects.rule_of(id).quota_bytes, 50);
}

TEST_P(journal, an_upload_is_told_what_is_used_where_that_is_limited)
{
    objects.arrived(id, object("a"), day);
    EXPECT_EQ(objects.room_for_upload(id).tenant, acme.id);
    EXPECT_EQ(objects.room_for_upload(id).live_bytes, 0) << "nobody needs to know";
    for (const auto& rule :
         {storage_rule{.owner = id.text, .quota_bytes = 50}, storage_rule{.owner = acme.id.text, .quota_bytes = 50},
          storage_rule{.owner = acme.id.text, .repository_quota_bytes = 50}}) {
        objects.put_rule(rule);
        const auto r = objects.room_for_upload(id);
        EXPECT_EQ(r.tenant, acme.id);
        EXPECT_EQ(r.live_bytes, 10);
        EXPECT_EQ(r.tenant_live_bytes, 10);
        objects.put_rule({.owner = rule.owner});
    }
}

TEST_P(journal, what_returns_is_present_under_a_new_place_and_keeps_its_first)
{
    objects.arrived(id, object("a"), day);
    const auto in_trash = objects.departing(id, object("a"), day + 1s);
    ASSERT_TRUE(in_trash);
    const auto place = objects.returned(id, *in_trash, day + 2s);
    ASSERT_TRUE(place);
    EXPECT_GT(*place, 2);
    EXPECT_EQ(objects.life(id, *place)->first_place, 1);
    EXPECT_TRUE(objects.present(id, "data", "a"));
    EXPECT_EQ(objects.state(id).trash_objects, 0);
    EXPECT_FALSE(objects.returned(id, *in_trash, day + 3s)) << "it is present";
    objects.not_returned(id, *place, *in_trash);
    EXPECT_FALSE(objects.present(id, "data", "a"));
    EXPECT_EQ(objects.state(id).trash_objects, 1);
    EXPECT_EQ(objects.state(id).live_bytes, 0);
}

TEST_P(journal, what_could_not_be_moved_is_present_as_before)
{
    objects.arrived(id, object("a"), day);
    const auto place = objects.departing(id, object("a"), day + 1s);
    objects.stayed(id, *place);
    EXPECT_TRUE(objects.present(id, "data", "a"));
    EXPECT_EQ(objects.state(id).live_bytes, 10);
    EXPECT_EQ(objects.state(id).trash_bytes, 0);
}

TEST_P(journal, an_unknown_object_that_leaves_is_taken_in_first)
{
    const auto place = objects.departing(id, object("a"), day);
    ASSERT_TRUE(place);
    EXPECT_EQ(objects.state(id).trash_bytes, 10);
    EXPECT_EQ(objects.departing(id, object("a"), day + 1s), place) << "after a crash: the same entry";
    EXPECT_EQ(objects.state(id).trash_bytes, 10);
}

TEST_P(journal, versions_of_a_config_stay_apart)
{
    objects.arrived(id, config("one"), day);
    const auto one = objects.departing(id, config("one"), day + 1s);
    objects.arrived(id, config("two"), day + 2s);
    const auto two = objects.departing(id, config("two"), day + 3s);
    EXPECT_NE(one, two);
    EXPECT_EQ(objects.in_trash(id).size(), 2U);
    EXPECT_EQ(objects.lives_of(id, "config", "hash of one").size(), 1U);
}

TEST_P(journal, a_hold_keeps_what_was_there_and_nothing_else)
{
    objects.arrived(id, object("a"), day);
    const auto before = objects.departing(id, object("a"), day);
    objects.arrived(id, object("b"), day);
    const auto h = objects.hold(id, "an inquiry", day);
    const auto after = objects.departing(id, object("b"), day);
    objects.arrived(id, object("c"), day);
    const auto later = objects.departing(id, object("c"), day);
    const auto far = day + std::chrono::days{40};
    ASSERT_EQ(objects.purgeable(id, far, far, 10).size(), 1U);
    EXPECT_EQ(objects.purgeable(id, far, far, 10)[0].name, "c");
    EXPECT_FALSE(objects.purged(id, *before));
    EXPECT_FALSE(objects.purged(id, *after));
    EXPECT_TRUE(objects.purged(id, *later));
    EXPECT_TRUE(objects.release(id, h.place, day));
    EXPECT_FALSE(objects.release(id, h.place, day));
    EXPECT_EQ(objects.purgeable(id, far, far, 10).size(), 2U);
    EXPECT_TRUE(objects.purged(id, *before));
}

TEST_P(journal, what_returned_and_left_again_is_held_by_its_first_place)
{
    objects.arrived(id, object("a"), day);
    objects.hold(id, "", day);
    const auto first = objects.departing(id, object("a"), day);
    const auto place = objects.returned(id, *first, day);
    EXPECT_EQ(objects.departing(id, object("a"), day), place);
    EXPECT_FALSE(objects.purged(id, *place));
}

TEST_P(journal, only_what_both_clocks_call_old_may_go)
{
    ASSERT_TRUE(objects.advance_sweep_clock({}, {day, day}));
    objects.arrived(id, object("a"), day);
    objects.departing(id, object("a"), day);
    const auto days = [](int n) { return day + std::chrono::days{n}; };
    EXPECT_TRUE(objects.purgeable(id, days(29), days(31), 10).empty());
    EXPECT_TRUE(objects.purgeable(id, days(31), days(29), 10).empty());
    EXPECT_EQ(objects.purgeable(id, days(30), days(30), 10).size(), 1U);
    objects.put_rule({.owner = id.text, .trash_days = 60});
    EXPECT_TRUE(objects.purgeable(id, days(31), days(31), 10).empty());
}

TEST_P(journal, of_two_processes_one_advances_the_clock_of_the_sweep)
{
    EXPECT_FALSE(objects.sweep_clock());
    EXPECT_TRUE(objects.advance_sweep_clock({}, {day, day}));
    EXPECT_FALSE(objects.advance_sweep_clock({}, {day, day}));
    const auto now = objects.sweep_clock();
    ASSERT_TRUE(now);
    EXPECT_TRUE(objects.advance_sweep_clock(now, {day + 1h, day + 2h}));
    EXPECT_FALSE(objects.advance_sweep_clock(now, {day + 1h, day + 2h}));
    EXPECT_EQ(objects.sweep_clock()->trusted_at, day + 1h);
    EXPECT_EQ(objects.sweep_clock()->swept_at, day + 2h);
}

TEST_P(journal, bytes_that_are_nowhere_end_their_row)
{
    objects.arrived(id, object("a"), day);
    objects.arrived(id, object("b"), day);
    objects.departing(id, object("b"), day);
    objects.lost(id, 1, day + 1s);
    objects.lost(id, 2, day + 1s);
    objects.lost(id, 2, day + 1s);
    EXPECT_EQ(objects.state(id).live_objects, 0);
    EXPECT_EQ(objects.state(id).trash_bytes, 0);
    EXPECT_EQ(objects.life(id, 1)->left_at, day + 1s);
}

TEST_P(journal, a_file_of_the_trash_without_a_row_is_taken_in)
{
    EXPECT_TRUE(objects.adopt_trash(id, 40, object("a"), day));
    EXPECT_FALSE(objects.adopt_trash(id, 40, object("b"), day));
    objects.arrived(id, object("c"), day);
    EXPECT_GT(objects.present(id, "data", "c")->place, 40) << "no place is given out twice";
    EXPECT_EQ(objects.state(id).trash_bytes, 10);
}

TEST_P(journal, history_that_nobody_can_ask_for_goes)
{
    objects.arrived(id, object("a"), day);
    const auto first = objects.departing(id, object("a"), day + 1s);
    objects.returned(id, *first, day + 2s);
    objects.drop_history(id, day + 1s);
    EXPECT_TRUE(objects.life(id, *first));
    objects.drop_history(id, day + 2s);
    EXPECT_FALSE(objects.life(id, *first));
    EXPECT_TRUE(objects.present(id, "data", "a"));
}

TEST_P(journal, samples_are_of_the_end_of_a_day)
{
    objects.arrived(id, object("a"), day);
    objects.sample_usage(100);
    objects.arrived(id, object("b"), day);
    objects.sample_usage(100);
    objects.sample_usage(101);
    const auto samples = objects.samples(id, 100);
    ASSERT_EQ(samples.size(), 2U);
    EXPECT_EQ(samples[0].live_bytes, 20);
    EXPECT_EQ(objects.samples(id, 101).size(), 1U);
}

TEST_P(journal, remembers_access_and_maintenance)
{
    objects.set_maintenance(id, day + 1h);
    objects.touch(id, day);
    EXPECT_EQ(objects.state(id).maintenance_until, day + 1h);
    EXPECT_EQ(objects.state(id).last_access_at, day);
    objects.set_maintenance(id, std::nullopt);
    EXPECT_FALSE(objects.state(id).maintenance_until);
}

} // namespace
} // namespace xentz::store
