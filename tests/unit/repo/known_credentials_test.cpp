#include "fakes/fake_clock.hpp"
#include "fakes/fake_random.hpp"
#include "repo/known_credentials.hpp"
#include "unit/repo/rest_support.hpp"

#include <gtest/gtest.h>

namespace xentz::repo {
namespace {

using namespace std::chrono_literals;

// Counts how often it is asked, and can change its mind while it is asked.
class counting_ledger final : public ledger {
public:
    testing_support::fake_ledger book;
    int asked = 0;
    std::function<void()> meanwhile = [] {};

    std::optional<access> open(const address& a, std::string_view user, std::string_view secret) override
    {
        ++asked;
        auto found = book.open(a, user, secret);
        meanwhile();
        return found;
    }
    void set_initialised(std::string_view repository_id, bool initialised) override
    {
        book.set_initialised(repository_id, initialised);
    }
};

struct known : testing::Test {
    const address where{"ten_1", "dev_1", "default"};
    counting_ledger inner;
    fakes::fake_clock clock;
    fakes::fake_random random;
    known_credentials ledger{inner, clock, random};

    void SetUp() override
    {
        inner.book.rows = {{where, "dev_1", "secret", {"repo_1", true}},
                           {{"ten_1", "dev_2", "default"}, "dev_2", "other", {"repo_2", true}}};
    }
    bool opens(std::string_view secret = "secret") { return ledger.open(where, "dev_1", secret).has_value(); }
};

TEST_F(known, asks_once_in_half_a_second)
{
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(opens());
        clock.advance(4ms);
    }
    EXPECT_EQ(inner.asked, 1);
    clock.advance(100ms);
    EXPECT_TRUE(opens());
    EXPECT_EQ(inner.asked, 2);
}

TEST_F(known, a_revocation_holds_within_half_a_second)
{
    EXPECT_TRUE(opens());
    inner.book.rows.clear();
    clock.advance(500ms);
    EXPECT_FALSE(opens());
}

TEST_F(known, a_change_of_the_rights_holds_within_half_a_second)
{
    EXPECT_EQ(ledger.open(where, "dev_1", "secret")->mode, protection::full);
    inner.book.rows[0].what.mode = protection::append_only;
    clock.advance(500ms);
    EXPECT_EQ(ledger.open(where, "dev_1", "secret")->mode, protection::append_only);
}

TEST_F(known, nothing_but_the_same_credential_at_the_same_address_is_known)
{
    EXPECT_TRUE(opens());
    EXPECT_FALSE(opens("secre"));
    EXPECT_FALSE(opens("secret "));
    EXPECT_FALSE(opens("other"));
    EXPECT_FALSE(ledger.open(where, "dev_2", "secret"));
    EXPECT_FALSE(ledger.open({"ten_1", "dev_2", "default"}, "dev_1", "secret"));
    // The parts of an address do not run into each other.
    EXPECT_FALSE(ledger.open({"ten_1", "dev_1", "defaul"}, "tdev_1", "secret"));
    EXPECT_EQ(inner.asked, 7);
}

TEST_F(known, what_does_not_open_is_asked_for_each_time)
{
    EXPECT_FALSE(opens("new secret"));
    inner.book.rows[0].secret = "new secret";
    EXPECT_TRUE(opens("new secret"));
}

TEST_F(known, an_answer_that_took_long_is_not_kept_longer_for_it)
{
    inner.meanwhile = [&] { clock.advance(400ms); };
    EXPECT_TRUE(opens());
    inner.meanwhile = [] {};
    clock.advance(100ms);
    EXPECT_TRUE(opens());
    EXPECT_EQ(inner.asked, 2);
}

TEST_F(known, what_changes_through_it_is_seen_at_once)
{
    ledger.set_initialised("repo_1", false);
    EXPECT_FALSE(ledger.open(where, "dev_1", "secret")->initialised);
    ledger.set_initialised("repo_1", true);
    EXPECT_TRUE(ledger.open(where, "dev_1", "secret")->initialised);
    EXPECT_EQ(inner.book.calls.size(), 2U);
}

TEST_F(known, what_another_process_has_changed_is_seen_once_it_is_forgotten)
{
    EXPECT_TRUE(ledger.open(where, "dev_1", "secret")->initialised);
    inner.book.set_initialised("repo_1", false);
    EXPECT_TRUE(ledger.open(where, "dev_1", "secret")->initialised);
    ledger.forget("repo_1");
    EXPECT_FALSE(ledger.open(where, "dev_1", "secret")->initialised);
}

TEST_F(known, what_was_read_before_a_change_is_not_kept_after_it)
{
    ledger.set_initialised("repo_1", false);
    inner.meanwhile = [&] { ledger.set_initialised("repo_1", true); };
    EXPECT_FALSE(ledger.open(where, "dev_1", "secret")->initialised);
    inner.meanwhile = [] {};
    EXPECT_TRUE(ledger.open(where, "dev_1", "secret")->initialised);
}

TEST_F(known, keeps_no_more_than_its_bound)
{
    known_credentials small{inner, clock, random, 500ms, 1};
    const address other{"ten_1", "dev_2", "default"};
    EXPECT_TRUE(small.open(where, "dev_1", "secret"));
    EXPECT_TRUE(small.open(other, "dev_2", "other"));
    EXPECT_TRUE(small.open(other, "dev_2", "other"));
    EXPECT_EQ(inner.asked, 2);
    EXPECT_TRUE(small.open(where, "dev_1", "secret"));
    EXPECT_EQ(inner.asked, 3);
}

TEST_F(known, a_ledger_that_fails_is_not_covered_up)
{
    inner.book.broken = true;
    EXPECT_THROW(opens(), std::runtime_error);
}

} // namespace
} // namespace xentz::repo
