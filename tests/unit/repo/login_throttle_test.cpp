#include "fakes/fake_clock.hpp"
#include "repo/login_throttle.hpp"
#include "repo/memory_blob_store.hpp"
#include "unit/repo/rest_support.hpp"

#include <gtest/gtest.h>

namespace xentz::repo {
namespace {

using namespace std::chrono_literals;
using attempt = login_throttle::attempt;

struct throttle : testing::Test {
    fakes::fake_clock clock;
    login_throttle guard{clock};
    const attempt guess{"192.0.2.1", "dev_1", "a guess"};
    const attempt right{"192.0.2.1", "dev_1", "the secret"};

    static std::chrono::seconds fail_often(login_throttle& g, attempt a, int times = 5)
    {
        std::chrono::seconds last{};
        for (int i = 0; i < times; ++i) {
            const auto secret = "guess " + std::to_string(i);
            a.secret = secret;
            last = g.failed(a);
        }
        return last;
    }
    std::chrono::seconds fail_often(const attempt& a, int times = 5) { return fail_often(guard, a, times); }
};

TEST_F(throttle, four_failures_are_free_and_then_the_wait_doubles_up_to_a_minute)
{
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 13; ++i) {
        const auto secret = "guess " + std::to_string(i);
        waits.push_back(guard.failed({guess.source, guess.account, secret}).count());
    }
    EXPECT_EQ(waits, (std::vector<std::int64_t>{0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60}));
    EXPECT_EQ(guard.wait_for(guess), 60s);
    clock.advance(59'500ms);
    EXPECT_EQ(guard.wait_for(guess), 1s);
    clock.advance(500ms);
    EXPECT_EQ(guard.wait_for(guess), 0s);
}

TEST_F(throttle, other_sources_and_other_accounts_are_not_slowed)
{
    fail_often(guess);
    EXPECT_GT(guard.wait_for(guess), 0s);
    EXPECT_EQ(guard.wait_for({"192.0.2.2", "dev_1", "the secret"}), 0s);
    EXPECT_EQ(guard.wait_for({"192.0.2.1", "dev_2", "another secret"}), 0s);
}

TEST_F(throttle, a_device_behind_the_address_of_a_guesser_gets_through)
{
    guard.passed(right);
    fail_often(guess, 20);
    EXPECT_GT(guard.wait_for(guess), 0s);
    EXPECT_EQ(guard.wait_for(right), 0s);
    guard.passed(right);
    EXPECT_GT(guard.wait_for(guess), 0s) << "the guesser has won nothing by it";
}

TEST_F(throttle, a_device_that_has_found_its_credential_starts_anew)
{
    fail_often(guess, 4);
    guard.passed(right);
    EXPECT_EQ(fail_often(guess, 4), 0s);
}

TEST_F(throttle, a_pair_that_was_quiet_for_an_hour_starts_anew)
{
    fail_often(guess, 20);
    clock.advance(1h);
    EXPECT_EQ(fail_often(guess, 4), 0s);
}

TEST_F(throttle, the_same_wrong_secret_again_is_no_further_guess)
{
    for (int i = 0; i < 100; ++i) EXPECT_EQ(guard.failed(guess), 0s);
    EXPECT_EQ(guard.wait_for(guess), 0s);
    fail_often(right, 20);
    guard.failed(guess);
    EXPECT_EQ(guard.wait_for(guess), 0s);
    EXPECT_GT(guard.wait_for(right), 0s);
}

TEST_F(throttle, a_network_of_ipv6_is_one_source)
{
    for (const auto* source : {"2001:db8::1", "2001:db8::2", "2001:db8::ffff:1", "2001:db8::3", "2001:db8::4"})
        guard.failed({source, "dev_1", source});
    EXPECT_GT(guard.wait_for({"2001:db8::5", "dev_1", "a guess"}), 0s);
    EXPECT_EQ(guard.wait_for({"2001:db8:0:1::5", "dev_1", "a guess"}), 0s);
}

TEST_F(throttle, forgets_the_pair_that_failed_longest_ago_beyond_its_bound)
{
    login_throttle small{clock, 2};
    const attempt others[] = {{"192.0.2.1", "dev_2", "x"}, {"192.0.2.1", "dev_3", "x"}};
    fail_often(small, guess);
    small.failed(others[0]);
    EXPECT_GT(small.wait_for(guess), 0s);
    small.failed(others[1]);
    EXPECT_EQ(small.wait_for(guess), 0s);
}

// ---- as the repository server uses it

struct throttled_server : testing::Test {
    testing_support::answer guess(int number) { return as("dev_1:wrong " + std::to_string(number)); }
    fakes::fake_clock clock;
    login_throttle guard{clock};
    testing_support::fake_ledger book;
    testing_support::memory_log log;
    memory_blob_store store;
    rest_handler handler{store, book, log, {.throttle = &guard}};

    void SetUp() override { book.rows = {{{"ten_1", "dev_1", "default"}, "dev_1", "secret one", {"repo_1", false}}}; }
    testing_support::answer as(std::string credentials)
    {
        return testing_support::asked(handler,
                                      {.method = "HEAD", .rest = "config", .credentials = std::move(credentials)});
    }
};

TEST_F(throttled_server, turns_away_whoever_guesses_and_says_for_how_long)
{
    for (int i = 0; i < 5; ++i) EXPECT_EQ(guess(i).status, 401);
    const auto refused = as("dev_1:wrong");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.problem(), "too-many-attempts");
    EXPECT_EQ(refused.header("Retry-After"), "1");
    EXPECT_EQ(as("dev_1:secret one").status, 429) << "unseen: a guess that is right says nothing";
    clock.advance(1s);
    EXPECT_EQ(as("dev_1:secret one").status, 404);
}

TEST_F(throttled_server, lets_the_device_through_that_has_been_in)
{
    EXPECT_EQ(as("dev_1:secret one").status, 404);
    for (int i = 0; i < 20; ++i) guess(i);
    EXPECT_EQ(as("dev_1:wrong").status, 429);
    EXPECT_EQ(as("dev_1:secret one").status, 404);
}

TEST_F(throttled_server, a_guesser_does_not_fill_the_log)
{
    for (int i = 0; i < 1000; ++i) guess(i);
    EXPECT_EQ(log.warnings.size(), 5U);
    EXPECT_TRUE(log.says("looked at in 1 s"));
}

TEST_F(throttled_server, requests_without_credentials_are_no_guesses)
{
    for (int i = 0; i < 20; ++i) EXPECT_EQ(as("").status, 401);
    EXPECT_EQ(as("dev_1:secret one").status, 404);
}

TEST_F(throttled_server, users_of_any_length_take_little_memory_and_are_one_account)
{
    const std::string user(9000, 'u');
    for (int i = 0; i < 5; ++i) as(user + std::to_string(i) + ":wrong " + std::to_string(i));
    EXPECT_EQ(as(user + ":wrong").status, 429);
}

} // namespace
} // namespace xentz::repo
