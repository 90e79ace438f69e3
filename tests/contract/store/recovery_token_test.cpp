// Recovery tokens: who may read a lost machine's repository, and who takes its place; exactly once, also where two ask.
#include "contract/store/fixture.hpp"

#include <latch>
#include <thread>

namespace xentz::store {
namespace {

using std::chrono::days;
using std::chrono::hours;

class recovery_token_test : public fleet_store_test {
protected:
    recovery_token make(const std::string& name, bool allow_take_over = true)
    {
        return {.id = {"tok_" + name},
                .device_id = {"dev_lost"},
                .repository_id = {"repo_lost"},
                .token_hash = "hash-of-" + name,
                .allow_take_over = allow_take_over,
                .created_at = day,
                .expires_at = day + hours{24},
                .revoked_at = {},
                .idempotency_key = {},
                .credential_id = {},
                .successor_id = {}};
    }
    repository_credential credential(const std::string& name, base::time_point now = day)
    {
        return {.id = {"cred_" + name},
                .repository_id = {},
                .kind = "read-only",
                .reason = "recovery",
                .created_at = now,
                .expires_at = now + days{7},
                .revoked_at = {}};
    }
    void lose(bool allow_take_over = true)
    {
        enrolled_device("lost");
        store.add_recovery_token(make("r", allow_take_over));
    }
    recovery_outcome exchange(const std::string& key, const std::string& name, base::time_point now = day)
    {
        return store.exchange("hash-of-r", key, credential(name, now), now);
    }
    recovery_outcome take_over(const std::string& key, const std::string& name, base::time_point now = day)
    {
        return store.take_over("hash-of-r", key, make_device(name), now);
    }
};

TEST_P(recovery_token_test, is_exchanged_once_and_for_its_caller_again)
{
    lose();
    const auto first = exchange("k", "one");
    ASSERT_EQ(first.state, recovery_state::usable);
    EXPECT_EQ(first.token->device_id.text, "dev_lost");
    EXPECT_EQ(first.credential->repository_id.text, "repo_lost");
    EXPECT_THAT(store.find_credential("cred_one").value(), same_row(*first.credential));
    const auto again = exchange("k", "two", day + days{6});
    ASSERT_EQ(again.state, recovery_state::usable) << "also after the token's own time";
    EXPECT_EQ(again.credential->id.text, "cred_one");
    EXPECT_EQ(exchange("other", "three").state, recovery_state::used);
    EXPECT_EQ(exchange("k", "four", day + days{7}).state, recovery_state::expired);
    EXPECT_EQ(store.credentials({"repo_lost"}).size(), 1U);
}

TEST_P(recovery_token_test, is_refused_where_it_is_unknown_expired_or_revoked)
{
    EXPECT_EQ(exchange("k", "one").state, recovery_state::unknown);
    lose();
    EXPECT_EQ(exchange("k", "one", day + hours{24}).state, recovery_state::expired);
    ASSERT_TRUE(store.revoke_token({"tok_r"}, day));
    EXPECT_EQ(exchange("k", "one").state, recovery_state::revoked);
    EXPECT_EQ(take_over("k", "heir").state, recovery_state::revoked);
    EXPECT_TRUE(store.credentials({"repo_lost"}).empty());
}

TEST_P(recovery_token_test, revoked_after_the_exchange_it_ends_what_it_allowed)
{
    lose();
    exchange("k", "one");
    ASSERT_TRUE(store.revoke_token({"tok_r"}, day));
    EXPECT_EQ(exchange("k", "two").state, recovery_state::revoked);
    EXPECT_EQ(take_over("k", "heir").state, recovery_state::revoked);
}

TEST_P(recovery_token_test, the_successor_gets_place_name_and_repository)
{
    lose();
    exchange("k", "one");
    const auto before = store.repository_of({"dev_lost"}).value();
    const auto out = take_over("k", "heir", day + days{1});
    ASSERT_EQ(out.state, recovery_state::usable);
    const auto heir = store.find_device({"dev_heir"}).value();
    EXPECT_THAT(out.result->device, same_row(heir));
    EXPECT_EQ(heir.tenant_id, acme.id);
    EXPECT_EQ(heir.hostname, "host-lost");
    EXPECT_EQ(heir.policy_name, "default");
    EXPECT_EQ(heir.user_id, "default");
    EXPECT_FALSE(heir.revoked_at);
    EXPECT_EQ(store.find_device({"dev_lost"})->revoked_at, day + days{1});
    const auto after = store.repository_of({"dev_heir"}).value();
    EXPECT_EQ(after.id, before.id);
    EXPECT_EQ(after.generation, before.generation + 1) << "what the lost machine knew opens nothing";
    EXPECT_EQ(after.password_box, before.password_box);
    EXPECT_FALSE(store.repository_of({"dev_lost"}));
    EXPECT_EQ(store.successor_of({"dev_lost"}).value().text, "dev_heir");
    EXPECT_EQ(store.predecessor_of({"dev_heir"}).value().text, "dev_lost");
    EXPECT_FALSE(store.successor_of({"dev_heir"}));
}

TEST_P(recovery_token_test, a_lost_answer_costs_no_second_successor)
{
    lose();
    exchange("k", "one");
    take_over("k", "heir");
    auto second = make_device("second");
    second.key_hash = "key-seen";
    const auto again = store.take_over("hash-of-r", "k", second, day);
    ASSERT_EQ(again.state, recovery_state::usable);
    EXPECT_EQ(again.result->device.id.text, "dev_heir");
    EXPECT_EQ(store.find_device({"dev_heir"})->key_hash, "key-seen");
    EXPECT_FALSE(store.find_device({"dev_second"}));
    store.touch_device({"dev_heir"}, day + hours{1});
    EXPECT_EQ(take_over("k", "third").state, recovery_state::used) << "its key has been seen";
    EXPECT_EQ(store.find_device({"dev_heir"})->key_hash, "key-seen");
}

TEST_P(recovery_token_test, a_take_over_needs_the_exchange_the_caller_and_the_right)
{
    lose(false);
    EXPECT_EQ(take_over("k", "heir").state, recovery_state::not_exchanged);
    exchange("k", "one");
    EXPECT_EQ(take_over("other", "heir").state, recovery_state::used);
    EXPECT_EQ(take_over("k", "heir").state, recovery_state::not_allowed);
    EXPECT_FALSE(store.find_device({"dev_lost"})->revoked_at);
    EXPECT_EQ(store.devices({}).size(), 1U);
}

TEST_P(recovery_token_test, of_two_tokens_one_takes_over)
{
    lose();
    store.add_recovery_token(make("s"));
    exchange("k", "one");
    store.exchange("hash-of-s", "l", credential("two"), day);
    take_over("k", "heir");
    EXPECT_EQ(store.take_over("hash-of-s", "l", make_device("late"), day).state, recovery_state::succeeded);
    EXPECT_FALSE(store.find_device({"dev_late"}));
}

TEST_P(recovery_token_test, of_ten_callers_at_once_one_gets_it)
{
    lose();
    std::latch ready(10);
    std::vector<recovery_state> states(10);
    {
        std::vector<std::jthread> running;
        for (std::size_t i = 0; i < states.size(); ++i)
            running.emplace_back([&, i] {
                ready.arrive_and_wait();
                states[i] = exchange("key-" + std::to_string(i), std::to_string(i)).state;
            });
    }
    EXPECT_EQ(std::ranges::count(states, recovery_state::usable), 1);
    EXPECT_EQ(std::ranges::count(states, recovery_state::used), 9);
    EXPECT_EQ(store.credentials({"repo_lost"}).size(), 1U);
}

TEST_P(recovery_token_test, lists_those_of_a_tenant_oldest_first)
{
    lose();
    auto early = make("early");
    early.created_at = day - hours{1};
    store.add_recovery_token(early);
    const auto found = store.recovery_tokens(acme.id);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].id.text, "tok_early");
    EXPECT_EQ(store.recovery_tokens(std::nullopt).size(), 2U);
    EXPECT_TRUE(store.recovery_tokens(domain::tenant_id{"ten_other"}).empty());
    EXPECT_THAT(store.find_recovery_token("hash-of-early").value(), same_row(early));
}

XENTZ_ON_EACH_ENGINE(recovery_token_test);

} // namespace
} // namespace xentz::store
