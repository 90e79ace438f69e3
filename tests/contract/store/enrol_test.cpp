// Enrolment: what a token allows, exactly, also under concurrency; and what a retry gets.
#include "fixture.hpp"

#include <latch>
#include <thread>

namespace xentz::store {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

class enrol_test : public fleet_store_test {
protected:
    // The same call from many threads at once.
    std::vector<enrol_outcome> at_once(int threads, const std::function<new_enrolment(int)>& call)
    {
        std::vector<enrol_outcome> out(static_cast<std::size_t>(threads));
        std::vector<std::string> failures(out.size());
        std::latch ready(threads);
        std::vector<std::jthread> running;
        for (int t = 0; t < threads; ++t) {
            running.emplace_back([&, t] {
                const auto i = static_cast<std::size_t>(t);
                ready.arrive_and_wait();
                try {
                    out[i] = store.enrol(call(t), day, window);
                } catch (const std::exception& e) {
                    failures[i] = e.what();
                }
            });
        }
        running.clear();
        EXPECT_THAT(failures, testing::Each(""));
        return out;
    }
    std::size_t repositories()
    {
        return db->read([](sql::connection& c) { return c.query("select id from repository").size(); });
    }
};

TEST_P(enrol_test, stores_device_and_repository_with_the_tokens_tenant_and_policy)
{
    store.put_policy({acme.id, "servers", "{}", day});
    auto t = token();
    t.policy_name = "servers";
    store.add_token(t);
    auto call = make_enrolment("a");
    call.fresh_device.tenant_id = {"ten_other"};
    call.fresh_device.policy_name = "other";
    call.fresh_repository.tenant_id = {"ten_other"};
    call.fresh_repository.device_id = {"dev_other"};

    const auto out = store.enrol(call, day, window);

    EXPECT_EQ(out.token, token_state::usable);
    EXPECT_FALSE(out.already_confirmed);
    auto device = call.fresh_device;
    device.tenant_id = acme.id;
    device.policy_name = "servers";
    auto repository = call.fresh_repository;
    repository.tenant_id = acme.id;
    repository.device_id = device.id;
    ASSERT_TRUE(out.result);
    EXPECT_THAT(out.result->device, same_row(device));
    EXPECT_THAT(out.result->repository, same_row(repository));
    EXPECT_THAT(store.find_device(device.id).value(), same_row(device));
    EXPECT_THAT(store.repository_of(device.id).value(), same_row(repository));
    EXPECT_EQ(uses_left(), 0);
}

TEST_P(enrol_test, refuses_a_token_that_is_unknown_used_expired_or_revoked)
{
    EXPECT_EQ(store.enrol(make_enrolment("a"), day, window).token, token_state::unknown);
    store.add_token(token());
    EXPECT_EQ(store.enrol(make_enrolment("b"), day + hours{24}, window).token, token_state::expired);
    EXPECT_EQ(uses_left(), 1);
    EXPECT_EQ(store.enrol(make_enrolment("c"), day + hours{24} - microseconds{1}, window).token, token_state::usable);
    EXPECT_EQ(store.enrol(make_enrolment("d"), day, window).token, token_state::used);
    EXPECT_EQ(store.enrol(make_enrolment("e"), day + hours{48}, window).token, token_state::used);
    store.add_token(token(5, "other"));
    ASSERT_TRUE(store.revoke_token({"tok_other"}, day));
    const auto refused = store.enrol(make_enrolment("f", "hash-of-other"), day, window);
    EXPECT_EQ(refused.token, token_state::revoked);
    EXPECT_FALSE(refused.result);
    EXPECT_EQ(uses_left("other"), 5);
    EXPECT_EQ(store.devices({}).size(), 1u);
}

TEST_P(enrol_test, a_token_of_many_uses_serves_that_many)
{
    store.add_token(token(3));
    for (const auto* name : {"a", "b", "c"}) {
        EXPECT_EQ(store.enrol(make_enrolment(name), day, window).token, token_state::usable);
    }
    EXPECT_EQ(store.enrol(make_enrolment("d"), day, window).token, token_state::used);
    EXPECT_EQ(store.devices({}).size(), 3u);
}

TEST_P(enrol_test, all_or_nothing)
{
    store.add_token(token(3));
    store.enrol(make_enrolment("a"), day, window);
    auto clash = make_enrolment("b");
    clash.fresh_repository.id = {"repo_a"};
    EXPECT_THROW(store.enrol(clash, day, window), sql::error);
    EXPECT_EQ(uses_left(), 2);
    EXPECT_FALSE(store.find_device({"dev_b"}));
}

TEST_P(enrol_test, of_twenty_threads_with_a_single_use_one_gets_a_device)
{
    store.add_token(token());
    const auto outcomes = at_once(20, [](int t) { return make_enrolment(std::to_string(t)); });
    EXPECT_EQ(std::ranges::count(outcomes, token_state::usable, &enrol_outcome::token), 1);
    EXPECT_EQ(std::ranges::count(outcomes, token_state::used, &enrol_outcome::token), 19);
    EXPECT_EQ(store.devices({}).size(), 1u);
    EXPECT_EQ(repositories(), 1u);
}

TEST_P(enrol_test, of_twenty_threads_with_seven_uses_seven_get_a_device)
{
    store.add_token(token(7));
    const auto outcomes = at_once(20, [](int t) { return make_enrolment(std::to_string(t)); });
    EXPECT_EQ(std::ranges::count(outcomes, token_state::usable, &enrol_outcome::token), 7);
    EXPECT_EQ(store.devices({}).size(), 7u);
    EXPECT_EQ(uses_left(), 0);
}

TEST_P(enrol_test, twenty_threads_with_one_idempotency_key_make_one_device)
{
    for (const std::int64_t uses : {1, 50}) {
        const auto name = "shared" + std::to_string(uses);
        store.add_token(token(uses, name));
        const auto devices = store.devices({}).size();
        const auto outcomes =
            at_once(20, [&](int t) { return make_enrolment(name + std::to_string(t), "hash-of-" + name, "the-call"); });
        EXPECT_EQ(std::ranges::count(outcomes, token_state::usable, &enrol_outcome::token), 20);
        EXPECT_EQ(store.devices({}).size(), devices + 1);
        EXPECT_EQ(uses_left(name), uses - 1);
        ASSERT_TRUE(outcomes.front().result);
        const auto id = outcomes.front().result->device.id;
        // Each got the same device, and the key of the last one is the one that counts.
        std::vector<std::string> keys;
        for (const auto& outcome : outcomes) {
            ASSERT_TRUE(outcome.result);
            EXPECT_EQ(outcome.result->device.id, id);
            keys.push_back(outcome.result->device.key_hash);
        }
        EXPECT_THAT(keys, testing::Contains(store.find_device(id)->key_hash));
    }
}

TEST_P(enrol_test, a_retry_gets_the_same_device_with_its_new_key)
{
    store.add_token(token());
    const auto first = store.enrol(make_enrolment("a", "hash-of-token", "call-1"), day, window);
    const auto again = store.enrol(make_enrolment("b", "hash-of-token", "call-1"), day + minutes{1}, window);
    EXPECT_EQ(again.token, token_state::usable);
    EXPECT_FALSE(again.already_confirmed);
    ASSERT_TRUE(again.result);
    auto expected = first.result->device;
    expected.key_hash = "key-of-b";
    EXPECT_THAT(again.result->device, same_row(expected));
    EXPECT_THAT(again.result->repository, same_row(first.result->repository));
    EXPECT_FALSE(store.find_device_by_key("key-of-a")) << "the unseen key still opens the door";
    EXPECT_EQ(store.find_device_by_key("key-of-b")->id, expected.id);
    EXPECT_EQ(store.devices({}).size(), 1u);
    EXPECT_EQ(uses_left(), 0);
}

TEST_P(enrol_test, a_retry_takes_no_use_of_a_token_that_has_more)
{
    store.add_token(token(3));
    store.enrol(make_enrolment("a", "hash-of-token", "call-1"), day, window);
    store.enrol(make_enrolment("b", "hash-of-token", "call-1"), day, window);
    EXPECT_EQ(uses_left(), 2);
    const auto other = store.enrol(make_enrolment("c", "hash-of-token", "call-2"), day, window);
    EXPECT_EQ(other.result->device.id.text, "dev_c");
    EXPECT_EQ(uses_left(), 1);
}

TEST_P(enrol_test, the_window_begins_at_the_enrolment_and_is_not_prolonged_by_a_retry)
{
    store.add_token(token());
    store.enrol(make_enrolment("a", "hash-of-token", "call-1"), day, window);
    EXPECT_TRUE(store.enrol(make_enrolment("b", "hash-of-token", "call-1"), day + minutes{10}, window).result);
    EXPECT_TRUE(store.enrol(make_enrolment("c", "hash-of-token", "call-1"), day + window, window).result);
    const auto late =
        store.enrol(make_enrolment("d", "hash-of-token", "call-1"), day + window + microseconds{1}, window);
    EXPECT_EQ(late.token, token_state::usable);
    EXPECT_TRUE(late.already_confirmed);
    EXPECT_FALSE(late.result);
    EXPECT_EQ(store.find_device({"dev_a"})->key_hash, "key-of-c");
    EXPECT_EQ(store.devices({}).size(), 1u);
}

TEST_P(enrol_test, a_late_retry_gives_the_use_back_too)
{
    store.add_token(token(3));
    store.enrol(make_enrolment("a", "hash-of-token", "call-1"), day, window);
    EXPECT_TRUE(store.enrol(make_enrolment("b", "hash-of-token", "call-1"), day + hours{1}, window).already_confirmed);
    EXPECT_EQ(uses_left(), 2);
}

TEST_P(enrol_test, the_first_authenticated_call_ends_the_window)
{
    store.add_token(token());
    store.enrol(make_enrolment("a", "hash-of-token", "call-1"), day, window);
    store.touch_device({"dev_a"}, day + minutes{1});
    EXPECT_TRUE(
        store.enrol(make_enrolment("b", "hash-of-token", "call-1"), day + minutes{2}, window).already_confirmed);
    EXPECT_EQ(store.find_device({"dev_a"})->key_hash, "key-of-a");
}

TEST_P(enrol_test, a_revoked_device_gets_no_new_key)
{
    store.add_token(token());
    store.enrol(make_enrolment("a", "hash-of-token", "call-1"), day, window);
    store.revoke_device({"dev_a"}, day);
    EXPECT_TRUE(store.enrol(make_enrolment("b", "hash-of-token", "call-1"), day, window).already_confirmed);
    EXPECT_EQ(store.find_device({"dev_a"})->key_hash, "key-of-a");
}

TEST_P(enrol_test, a_retry_is_served_by_an_expired_token_but_not_by_a_revoked_one)
{
    auto t = token(2);
    t.expires_at = day + minutes{1};
    store.add_token(t);
    store.enrol(make_enrolment("a", "hash-of-token", "call-1"), day, window);
    EXPECT_TRUE(store.enrol(make_enrolment("b", "hash-of-token", "call-1"), day + minutes{2}, window).result);
    EXPECT_EQ(uses_left(), 1);
    EXPECT_EQ(store.enrol(make_enrolment("c", "hash-of-token", "call-2"), day + minutes{2}, window).token,
              token_state::expired);
    store.revoke_token(t.id, day + minutes{2});
    const auto refused = store.enrol(make_enrolment("d", "hash-of-token", "call-1"), day + minutes{3}, window);
    EXPECT_EQ(refused.token, token_state::revoked);
    EXPECT_FALSE(refused.result);
    EXPECT_FALSE(refused.already_confirmed);
    EXPECT_EQ(store.find_device({"dev_a"})->key_hash, "key-of-b");
}

TEST_P(enrol_test, a_key_belongs_to_its_token)
{
    store.add_token(token(1, "one"));
    store.add_token(token(1, "two"));
    EXPECT_TRUE(store.enrol(make_enrolment("a", "hash-of-one", "call"), day, window).result);
    EXPECT_EQ(store.enrol(make_enrolment("b", "hash-of-two", "call"), day, window).result->device.id.text, "dev_b");
}

XENTZ_ON_EACH_ENGINE(enrol_test);

} // namespace
} // namespace xentz::store
