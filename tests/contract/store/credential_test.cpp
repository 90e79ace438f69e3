#include "contract/store/fixture.hpp"

#include <thread>

namespace xentz::store {
namespace {

class credential_test : public fleet_store_test {
protected:
    repository_credential make(const std::string& name, const domain::repository_id& id,
                               base::time_point created_at = day)
    {
        return {.id = {"cred_" + name},
                .repository_id = id,
                .kind = "read-only",
                .reason = "a restore by hand",
                .created_at = created_at,
                .expires_at = created_at + std::chrono::days{7},
                .revoked_at = {}};
    }
};

TEST_P(credential_test, is_found_as_it_was_stored)
{
    enrolled_device("a");
    const auto c = make("one", {"repo_a"});
    store.add_credential(c);
    EXPECT_THAT(store.find_credential("cred_one").value(), same_row(c));
    EXPECT_FALSE(store.find_credential("cred_two"));
}

TEST_P(credential_test, lists_those_of_one_repository_oldest_first)
{
    enrolled_device("a");
    enrolled_device("b");
    store.add_credential(make("late", {"repo_a"}, day + std::chrono::hours{1}));
    store.add_credential(make("early", {"repo_a"}));
    store.add_credential(make("other", {"repo_b"}));
    const auto found = store.credentials({"repo_a"});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].id.text, "cred_early");
    EXPECT_EQ(found[1].id.text, "cred_late");
    EXPECT_TRUE(store.credentials({"repo_absent"}).empty());
}

TEST_P(credential_test, keeps_the_instant_of_its_first_revocation)
{
    enrolled_device("a");
    store.add_credential(make("one", {"repo_a"}));
    EXPECT_TRUE(store.revoke_credential({"cred_one"}, day + std::chrono::hours{1}));
    EXPECT_TRUE(store.revoke_credential({"cred_one"}, day + std::chrono::hours{2}));
    EXPECT_EQ(store.find_credential("cred_one")->revoked_at, day + std::chrono::hours{1});
    EXPECT_FALSE(store.revoke_credential({"cred_two"}, day));
}

TEST_P(credential_test, passwords_are_added_and_none_is_replaced)
{
    enrolled_device("a");
    enrolled_device("b");
    EXPECT_TRUE(store.passwords({"repo_a"}).empty());
    EXPECT_TRUE(store.add_password({"repo_a"}, "server", "box-1", day, 2));
    EXPECT_TRUE(store.add_password({"repo_a"}, "sealed", "box-2", day + std::chrono::hours{1}, 2));
    EXPECT_FALSE(store.add_password({"repo_a"}, "server", "box-3", day, 2)) << "as many as there may be";
    EXPECT_TRUE(store.add_password({"repo_b"}, "server", "box-4", day, 2));
    const auto found = store.passwords({"repo_a"});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_THAT(found[0], same_row(repository_password{{"repo_a"}, 2, "sealed", "box-2", day + std::chrono::hours{1}}));
    EXPECT_THAT(found[1], same_row(repository_password{{"repo_a"}, 1, "server", "box-1", day}));
    EXPECT_THROW(store.add_password({"repo_absent"}, "server", "box", day, 2), sql::error);
    EXPECT_THROW(store.add_password({"repo_b"}, "device", "box", day, 2), sql::error);
}

TEST_P(credential_test, of_many_passwords_at_once_each_gets_a_place)
{
    enrolled_device("a");
    {
        std::vector<std::jthread> running;
        for (int i = 0; i < 8; ++i)
            running.emplace_back([&, i] {
                EXPECT_TRUE(store.add_password({"repo_a"}, "server", "box-" + std::to_string(i), day, 100));
            });
    }
    EXPECT_EQ(store.passwords({"repo_a"}).size(), 8U);
}

TEST_P(credential_test, belongs_to_a_repository_that_exists_and_is_of_a_kind_that_exists)
{
    enrolled_device("a");
    EXPECT_THROW(store.add_credential(make("one", {"repo_absent"})), sql::error);
    auto odd = make("odd", {"repo_a"});
    odd.kind = "normal";
    EXPECT_THROW(store.add_credential(odd), sql::error);
}

TEST_P(credential_test, a_generation_is_raised_for_one_repository)
{
    const auto a = enrolled_device("a");
    const auto b = enrolled_device("b");
    EXPECT_EQ(store.raise_generation({"repo_a"}), 2);
    EXPECT_EQ(store.raise_generation({"repo_a"}), 3);
    EXPECT_EQ(store.repository_of(a.id)->generation, 3);
    EXPECT_EQ(store.repository_of(b.id)->generation, 1);
    EXPECT_FALSE(store.raise_generation({"repo_absent"}));
}

XENTZ_ON_EACH_ENGINE(credential_test);

} // namespace
} // namespace xentz::store
