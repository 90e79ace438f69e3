// Devices and their repositories, after they are enrolled.
#include "fixture.hpp"

#include <thread>

namespace xentz::store {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

class device_test : public fleet_store_test {};

TEST_P(device_test, odd_and_extreme_values_come_back_as_they_were_stored)
{
    const std::string odd = "'\"\\;-- \u00e9 \u65e5\u672c \U0001F5C4\n" + std::string(100'000, 'z');
    auto call = make_enrolment("odd \u00fc");
    auto& d = call.fresh_device;
    d.user_id = "a.b_c-1";
    d.hostname = d.os = d.arch = d.agent_version = d.restic_version = odd;
    d.include = "[\"/home/\u00fc\", \"" + std::string(1'000'000, 'p') + "\"]";
    d.enabled = false;
    d.enrolled_at = base::time_point::max();
    d.last_seen_at = base::time_point::min();
    d.revoked_at = base::time_point{};
    auto& r = call.fresh_repository;
    r.user_id = d.user_id;
    r.generation = std::numeric_limits<std::int64_t>::max();
    r.password_box = odd;
    r.initialised = true;
    r.created_at = base::time_point::min();
    store.add_token(token());
    const auto stored = store.enrol(call, day, window).result.value();
    EXPECT_THAT(store.find_device(d.id).value(), same_row(stored.device));
    EXPECT_THAT(store.repository_of(d.id).value(), same_row(stored.repository));
    EXPECT_EQ(stored.device.hostname, odd);
    EXPECT_EQ(stored.repository.generation, r.generation);
}

TEST_P(device_test, a_request_for_a_backup_replaces_the_one_before)
{
    const auto a = enrolled_device("a");
    const auto b = enrolled_device("b");
    EXPECT_FALSE(store.backup_request_of(a.id));
    store.request_backup({a.id, "req_1", day});
    store.request_backup({a.id, "req_2", day + seconds{1}});
    EXPECT_THAT(store.backup_request_of(a.id).value(), same_row(backup_request{a.id, "req_2", day + seconds{1}}));
    EXPECT_FALSE(store.backup_request_of(b.id));
}

TEST_P(device_test, is_found_by_id_and_by_key)
{
    const auto a = enrolled_device("a");
    const auto b = enrolled_device("b");
    EXPECT_THAT(store.find_device(a.id).value(), same_row(a));
    EXPECT_THAT(store.find_device_by_key("key-of-b").value(), same_row(b));
    EXPECT_FALSE(store.find_device({"dev_absent"}));
    EXPECT_FALSE(store.find_device_by_key("absent"));
    EXPECT_FALSE(store.find_device_by_key(""));
}

TEST_P(device_test, devices_are_listed_for_one_tenant_or_all)
{
    const tenant other{{"ten_other"}, "other", "server", day};
    store.add_tenant(other, "{}");
    const auto a = enrolled_device("a");
    auto foreign = token(1, "foreign");
    foreign.tenant_id = other.id;
    store.add_token(foreign);
    const auto b = store.enrol(make_enrolment("b", "hash-of-foreign"), day, window).result.value().device;
    EXPECT_THAT(store.devices(acme.id), ElementsAre(same_row(a)));
    EXPECT_THAT(store.devices(other.id), ElementsAre(same_row(b)));
    EXPECT_THAT(store.devices({}), ElementsAre(same_row(a), same_row(b)));
    EXPECT_TRUE(store.devices(domain::tenant_id{"ten_absent"}).empty());
}

TEST_P(device_test, last_seen_never_goes_backwards)
{
    const auto a = enrolled_device("a");
    const auto b = enrolled_device("b");
    store.touch_device(a.id, day);
    EXPECT_EQ(store.find_device(a.id)->last_seen_at, day);
    store.touch_device(a.id, day - seconds{1});
    EXPECT_EQ(store.find_device(a.id)->last_seen_at, day);
    store.touch_device(a.id, day + seconds{1});
    EXPECT_EQ(store.find_device(a.id)->last_seen_at, day + seconds{1});
    EXPECT_EQ(store.find_device(b.id)->last_seen_at, std::nullopt);
    store.touch_device({"dev_absent"}, day);
}

TEST_P(device_test, the_latest_of_many_calls_at_once_is_kept)
{
    const auto a = enrolled_device("a");
    std::vector<std::jthread> threads;
    for (int t = 0; t < 16; ++t) {
        threads.emplace_back([&, t] { store.touch_device(a.id, day + seconds{(t * 7) % 16}); });
    }
    threads.clear();
    EXPECT_EQ(store.find_device(a.id)->last_seen_at, day + seconds{15});
}

TEST_P(device_test, is_switched_off_and_on)
{
    const auto a = enrolled_device("a");
    const auto b = enrolled_device("b");
    EXPECT_TRUE(store.set_device_enabled(a.id, false));
    EXPECT_FALSE(store.find_device(a.id)->enabled);
    EXPECT_TRUE(store.find_device(b.id)->enabled);
    EXPECT_TRUE(store.set_device_enabled(a.id, true));
    EXPECT_THAT(store.find_device(a.id).value(), same_row(a));
    EXPECT_FALSE(store.set_device_enabled({"dev_absent"}, true));
}

TEST_P(device_test, is_revoked_once_and_keeps_the_first_instant)
{
    const auto a = enrolled_device("a");
    EXPECT_TRUE(store.revoke_device(a.id, day));
    EXPECT_TRUE(store.revoke_device(a.id, day + seconds{1}));
    EXPECT_EQ(store.find_device(a.id)->revoked_at, day);
    EXPECT_FALSE(store.revoke_device({"dev_absent"}, day));
}

TEST_P(device_test, follows_a_policy_of_its_own_tenant_only)
{
    store.add_tenant({{"ten_other"}, "other", "server", day}, "{}");
    store.put_policy({{"ten_other"}, "foreign", "{}", day});
    store.put_policy({acme.id, "servers", "{}", day});
    const auto a = enrolled_device("a");
    const auto b = enrolled_device("b");
    EXPECT_TRUE(store.set_device_policy(a.id, "servers"));
    EXPECT_EQ(store.find_device(a.id)->policy_name, "servers");
    EXPECT_EQ(store.find_device(b.id)->policy_name, "default");
    EXPECT_FALSE(store.set_device_policy(a.id, "foreign"));
    EXPECT_FALSE(store.set_device_policy(a.id, "absent"));
    EXPECT_FALSE(store.set_device_policy({"dev_absent"}, "servers"));
    EXPECT_EQ(store.find_device(a.id)->policy_name, "servers");
}

TEST_P(device_test, a_repository_is_found_by_its_whole_address)
{
    const auto a = enrolled_device("a");
    enrolled_device("b");
    const auto r = store.repository_of(a.id).value();
    EXPECT_EQ(r.id.text, "repo_a");
    EXPECT_THAT(store.find_repository("ten_acme", "dev_a", "default").value(), same_row(r));
    EXPECT_FALSE(store.find_repository("ten_acme", "dev_a", "other"));
    EXPECT_FALSE(store.find_repository("ten_other", "dev_a", "default"));
    EXPECT_FALSE(store.find_repository("ten_acme", "dev_absent", "default"));
    EXPECT_FALSE(store.repository_of({"dev_absent"}));
}

TEST_P(device_test, a_repository_without_a_password_is_told_from_one_with_an_empty_one)
{
    store.add_token(token(2));
    auto none = make_enrolment("none");
    none.fresh_repository.password_box = std::nullopt;
    store.enrol(none, day, window);
    auto empty = make_enrolment("empty");
    empty.fresh_repository.password_box = "";
    store.enrol(empty, day, window);
    EXPECT_EQ(store.repository_of({"dev_none"})->password_box, std::nullopt);
    EXPECT_EQ(store.repository_of({"dev_empty"})->password_box, "");
}

TEST_P(device_test, a_repository_remembers_that_it_was_initialised)
{
    const auto a = enrolled_device("a");
    const auto b = enrolled_device("b");
    store.set_initialised({"repo_a"}, true);
    EXPECT_TRUE(store.repository_of(a.id)->initialised);
    EXPECT_FALSE(store.repository_of(b.id)->initialised);
    store.set_initialised({"repo_a"}, false);
    EXPECT_FALSE(store.repository_of(a.id)->initialised);
}

XENTZ_ON_EACH_ENGINE(device_test);

} // namespace
} // namespace xentz::store
