// Settings, tenants, policies, tokens, users, and the schema as a whole.
#include "fixture.hpp"

#include "store/migrations.hpp"

#include <thread>

namespace xentz::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Text that has tripped others: quotes, markup, several scripts, a combining mark, control characters, length.
const std::string& odd_text()
{
    static const std::string out =
        "';-- \"\\ $1 %s {}\n\t\x7f \u00e9 e\u0301 \u65e5\u672c \U0001F5C4 \u202e" + std::string(200'000, 'y');
    return out;
}

class tenant_test : public fleet_store_test {};

TEST_P(tenant_test, migrating_twice_and_from_two_threads_changes_nothing)
{
    store.migrate();
    std::jthread other([&] { fleet_store{sql::open_database(fresh.address())}.migrate(); });
    store.migrate();
    other.join();
    EXPECT_THAT(store.tenants(), ElementsAre(same_row(acme)));
}

TEST_P(tenant_test, two_threads_can_make_the_schema_at_once)
{
    const test::fresh_database empty{GetParam()};
    std::vector<std::string> failures(4);
    std::vector<std::jthread> threads;
    for (auto& failure : failures) {
        threads.emplace_back([&] {
            try {
                fleet_store{sql::open_database(empty.address())}.migrate();
            } catch (const std::exception& e) {
                failure = e.what();
            }
        });
    }
    threads.clear();
    EXPECT_THAT(failures, testing::Each(""));
    EXPECT_TRUE(fleet_store{sql::open_database(empty.address())}.healthy());
}

TEST_P(tenant_test, refuses_a_database_of_a_newer_program)
{
    const auto next = static_cast<std::int64_t>(migrations().size()) + 1;
    db->write([&](sql::connection& c) {
        c.query("insert into schema_migrations (version, name, applied_at) values ($1, 'future', 0)", next);
    });
    try {
        store.migrate();
        FAIL();
    } catch (const sql::error& e) {
        EXPECT_THAT(e.what(), HasSubstr("newer schema"));
    }
}

TEST_P(tenant_test, is_healthy_where_its_tables_can_be_read)
{
    EXPECT_TRUE(store.healthy());
    db->write([](sql::connection& c) { c.query("drop table setting"); });
    EXPECT_FALSE(store.healthy());
}

TEST_P(tenant_test, a_setting_is_decided_once)
{
    EXPECT_EQ(store.setting("storage_id"), std::nullopt);
    EXPECT_TRUE(store.set_setting_once("storage_id", odd_text()));
    EXPECT_FALSE(store.set_setting_once("storage_id", "other"));
    EXPECT_EQ(store.setting("storage_id"), odd_text());
    EXPECT_TRUE(store.set_setting_once("empty", ""));
    EXPECT_EQ(store.setting("empty"), "");
}

TEST_P(tenant_test, a_tenant_comes_with_its_default_policy)
{
    const tenant other{{"ten_other"}, "other \u00fc '", "device", base::time_point::max()};
    EXPECT_TRUE(store.add_tenant(other, odd_text()));
    EXPECT_THAT(store.tenants(), ElementsAre(same_row(acme), same_row(other)));
    EXPECT_THAT(store.policies(other.id),
                ElementsAre(same_row(policy{other.id, "default", odd_text(), other.created_at})));
}

TEST_P(tenant_test, a_tenants_name_is_taken_once)
{
    EXPECT_FALSE(store.add_tenant({{"ten_second"}, "acme", "server", day}, "{}"));
    EXPECT_THAT(store.tenants(), ElementsAre(same_row(acme)));
    EXPECT_EQ(store.policies({}).size(), 1u);
    EXPECT_TRUE(store.add_tenant({{"ten_second"}, "Acme", "server", day}, "{}"));
}

TEST_P(tenant_test, a_tenant_is_found_by_name_or_id_and_the_id_goes_first)
{
    const tenant impostor{{"ten_impostor"}, "ten_acme", "server", day};
    ASSERT_TRUE(store.add_tenant(impostor, "{}"));
    EXPECT_EQ(store.find_tenant("acme")->id, acme.id);
    EXPECT_EQ(store.find_tenant("ten_acme")->id, acme.id);
    EXPECT_EQ(store.find_tenant("ten_impostor")->id, impostor.id);
    EXPECT_FALSE(store.find_tenant("absent"));
    EXPECT_FALSE(store.find_tenant("' or '1'='1"));
}

TEST_P(tenant_test, custody_is_changed_for_one_tenant)
{
    store.add_tenant({{"ten_other"}, "other", "server", day}, "{}");
    store.set_custody(acme.id, "device");
    store.set_custody({"ten_absent"}, "device");
    EXPECT_EQ(store.find_tenant("acme")->custody, "device");
    EXPECT_EQ(store.find_tenant("other")->custody, "server");
}

TEST_P(tenant_test, a_policy_is_replaced_by_its_name)
{
    const policy first{acme.id, "servers", "{\"v\":1}", day};
    const policy second{acme.id, "servers", odd_text(), day + std::chrono::seconds{1}};
    store.put_policy(first);
    EXPECT_THAT(store.find_policy(acme.id, "servers").value(), same_row(first));
    store.put_policy(second);
    EXPECT_THAT(store.find_policy(acme.id, "servers").value(), same_row(second));
    EXPECT_EQ(store.find_policy(acme.id, "default")->document, "{\"v\":1}");
    EXPECT_FALSE(store.find_policy(acme.id, "absent"));
    EXPECT_FALSE(store.find_policy({"ten_absent"}, "servers"));
}

TEST_P(tenant_test, policies_are_listed_for_one_tenant_or_all)
{
    store.add_tenant({{"ten_other"}, "other", "server", day}, "{}");
    store.put_policy({acme.id, "servers", "{}", day});
    const auto names = [](const std::vector<policy>& policies) {
        std::vector<std::string> out;
        for (const auto& p : policies) out.push_back(p.tenant_id.text + "/" + p.name);
        return out;
    };
    EXPECT_THAT(names(store.policies(acme.id)), ElementsAre("ten_acme/default", "ten_acme/servers"));
    EXPECT_THAT(names(store.policies({})), ElementsAre("ten_acme/default", "ten_acme/servers", "ten_other/default"));
    EXPECT_TRUE(store.policies(domain::tenant_id{"ten_absent"}).empty());
}

TEST_P(tenant_test, a_policy_needs_its_tenant)
{
    try {
        store.put_policy({{"ten_absent"}, "servers", "{}", day});
        FAIL();
    } catch (const sql::error& e) {
        EXPECT_EQ(e.code, sql::errc::foreign_key_violation);
    }
}

TEST_P(tenant_test, tokens_come_back_as_they_were_stored)
{
    auto plain = token();
    auto odd = token(std::numeric_limits<std::int64_t>::max(), "odd \u00e9 '");
    odd.uses_left = 0;
    odd.created_at = base::time_point::max();
    odd.expires_at = base::time_point::min();
    odd.revoked_at = base::time_point{};
    store.add_token(plain);
    store.add_token(odd);
    EXPECT_THAT(store.tokens(acme.id), ElementsAre(same_row(plain), same_row(odd)));
    EXPECT_EQ(store.tokens({}).size(), 2u);
    EXPECT_TRUE(store.tokens(domain::tenant_id{"ten_absent"}).empty());
    EXPECT_THAT(store.find_token(odd.token_hash).value(), same_row(odd));
    EXPECT_FALSE(store.find_token("absent"));
}

TEST_P(tenant_test, a_token_needs_its_policy_and_cannot_have_more_uses_than_it_began_with)
{
    auto unknown_policy = token();
    unknown_policy.policy_name = "absent";
    EXPECT_THROW(store.add_token(unknown_policy), sql::error);
    auto too_many = token(1);
    too_many.uses_left = 2;
    EXPECT_THROW(store.add_token(too_many), sql::error);
    EXPECT_TRUE(store.tokens({}).empty());
}

TEST_P(tenant_test, a_token_is_revoked_once_and_keeps_the_first_instant)
{
    store.add_token(token());
    EXPECT_FALSE(store.revoke_token({"tok_absent"}, day));
    EXPECT_TRUE(store.revoke_token({"tok_token"}, day));
    EXPECT_TRUE(store.revoke_token({"tok_token"}, day + std::chrono::hours{1}));
    EXPECT_EQ(store.find_token("hash-of-token")->revoked_at, day);
}

TEST_P(tenant_test, a_users_address_is_taken_once)
{
    const user first{"a@example.org", odd_text(), base::time_point::min()};
    const user second{"b@example.org", "", base::time_point::max()};
    EXPECT_TRUE(store.add_user(second));
    EXPECT_TRUE(store.add_user(first));
    EXPECT_FALSE(store.add_user({"a@example.org", "other", day}));
    EXPECT_THAT(store.users(), ElementsAre(same_row(first), same_row(second)));
}

XENTZ_ON_EACH_ENGINE(tenant_test);

} // namespace
} // namespace xentz::store
