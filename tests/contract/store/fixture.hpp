// A fleet store with one tenant on a fresh database, and short ways to make the rows of a test.
#pragma once

#include "store/fleet_store.hpp"
#include "support/databases.hpp"

#include <gmock/gmock.h>

#include <boost/mp11/algorithm.hpp>

#include <string>

namespace xentz::store {

// Rows are compared member by member; the structures themselves have no need of it.
template <sql::described T>
bool same(const T& a, const T& b)
{
    bool equal = true;
    boost::mp11::mp_for_each<sql::detail::members_of<T>>(
        [&](auto member) { equal = equal && a.*member.pointer == b.*member.pointer; });
    return equal;
}

MATCHER_P(same_row, expected, "") { return same(arg, expected); }

constexpr base::time_point day{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
constexpr std::chrono::minutes window{15};

inline device make_device(const std::string& name)
{
    return {.id = {"dev_" + name},
            .tenant_id = {},
            .user_id = "default",
            .hostname = "host-" + name,
            .os = "linux",
            .arch = "x86_64",
            .agent_version = "1.0",
            .restic_version = "0.14.0",
            .include = "[]",
            .policy_name = {},
            .key_hash = "key-of-" + name,
            .enabled = true,
            .enrolled_at = day,
            .last_seen_at = {},
            .revoked_at = {}};
}

inline repository make_repository(const std::string& name)
{
    return {.id = {"repo_" + name},
            .tenant_id = {},
            .device_id = {},
            .user_id = "default",
            .password_box = "box-of-" + name,
            .created_at = day};
}

inline new_enrolment make_enrolment(const std::string& name, const std::string& token_hash = "hash-of-token",
                                    const std::optional<std::string>& idempotency_key = {})
{
    return {.token_hash = token_hash,
            .idempotency_key = idempotency_key,
            .fresh_device = make_device(name),
            .fresh_repository = make_repository(name)};
}

inline report make_report(const domain::device_id& id, const std::string& key, const std::string& job = "backup",
                          base::time_point started_at = day)
{
    return {.report_id = "rep_" + key,
            .device_id = id,
            .dedup_key = key,
            .job = job,
            .status = "success",
            .started_at = started_at,
            .finished_at = started_at + std::chrono::seconds{5},
            .received_at = started_at + std::chrono::seconds{6},
            .duration_ms = 5000,
            .metrics = "{}"};
}

class fleet_store_test : public testing::TestWithParam<test::engine> {
protected:
    void SetUp() override
    {
        store.migrate();
        ASSERT_TRUE(store.add_tenant(acme, "{\"v\":1}"));
    }

    install_token token(std::int64_t uses = 1, const std::string& name = "token")
    {
        return {.id = {"tok_" + name},
                .tenant_id = acme.id,
                .policy_name = "default",
                .token_hash = "hash-of-" + name,
                .uses_total = uses,
                .uses_left = uses,
                .created_at = day,
                .expires_at = day + std::chrono::hours{24},
                .revoked_at = {}};
    }
    std::int64_t uses_left(const std::string& name = "token")
    {
        return store.find_token("hash-of-" + name).value().uses_left;
    }
    // A device that is enrolled by a token of its own.
    device enrolled_device(const std::string& name)
    {
        store.add_token(token(1, "for-" + name));
        return store.enrol(make_enrolment(name, "hash-of-for-" + name), day, window).result.value().device;
    }

    const tenant acme{{"ten_acme"}, "acme", "server", day};
    test::fresh_database fresh{GetParam()};
    std::shared_ptr<sql::database> db = sql::open_database(fresh.address());
    fleet_store store{db};
};

#define XENTZ_ON_EACH_ENGINE(suite)                                                                                    \
    INSTANTIATE_TEST_SUITE_P(each, suite, testing::Values(test::engine::sqlite, test::engine::postgresql),             \
                             [](const auto& chosen) { return test::name(chosen.param); })

} // namespace xentz::store
