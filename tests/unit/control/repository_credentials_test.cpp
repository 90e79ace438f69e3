#include "control/repository_credentials.hpp"

#include "control/addresses.hpp"
#include "fleet.hpp"

namespace xentz::control {
namespace {

using namespace std::chrono_literals;
using base::fault_code;

struct repository_credentials : testing::Test {
    fleet f;
    store::repository r;

    void SetUp() override
    {
        const auto device = enrol(f, f.new_token());
        r = f.store.repository_of({device.id}).value();
    }
    base::result<made_credential> make(new_credential n) { return make_credential(f.admin, f.key, r, n, ""); }
};

TEST_F(repository_credentials, the_secret_is_derived_and_belongs_to_the_row)
{
    const auto made = make({.reason = "a restore by hand"});
    ASSERT_TRUE(made);
    EXPECT_EQ(made->kind, "read-only");
    EXPECT_EQ(made->expires_at, f.clock.now() + std::chrono::days{7});
    EXPECT_EQ(made->path, "/repo/" + r.tenant_id.text + "/" + r.device_id.text + "/default/");
    EXPECT_FALSE(made->repository);
    auto row = f.store.find_credential(made->id).value();
    EXPECT_EQ(row.reason, "a restore by hand");
    EXPECT_EQ(credential_secret(f.key, r, row), made->secret);
    EXPECT_NE(made->secret, repository_secret(f.key, r));
    row.kind = "maintenance";
    EXPECT_NE(credential_secret(f.key, r, row), made->secret) << "a row that was altered opens nothing";
    EXPECT_NE(make({})->secret, made->secret);
}

TEST_F(repository_credentials, raising_the_generation_makes_all_secrets_new)
{
    const auto made = make({});
    const auto row = f.store.find_credential(made->id).value();
    f.store.raise_generation(r.id);
    EXPECT_NE(credential_secret(f.key, f.store.repository_of(r.device_id).value(), row), made->secret);
}

TEST_F(repository_credentials, the_whole_address_where_the_public_one_is_known)
{
    const auto made = make_credential(f.admin, f.key, r, {}, "https://backup.example.com/control");
    EXPECT_EQ(made->repository,
              "rest:https://" + made->id + ":" + made->secret + "@backup.example.com/control" + made->path);
}

TEST_F(repository_credentials, refuses_a_kind_or_a_time_that_there_is_not)
{
    EXPECT_EQ(make({.kind = "normal"}).error().code, fault_code::invalid_value);
    EXPECT_EQ(make({.kind = "maintenance", .reason = "", .ttl = std::chrono::days{8}}).error().code,
              fault_code::invalid_value);
    EXPECT_TRUE(make({.kind = "maintenance", .reason = "", .ttl = 1h}));
    EXPECT_TRUE(make({.kind = "read-only", .reason = "", .ttl = std::chrono::days{8}}));
}

TEST_F(repository_credentials, the_list_says_what_became_of_each)
{
    const auto gone = make({.ttl = 1h});
    const auto voided = make({});
    const auto active = make({});
    ASSERT_TRUE(revoke_credential(f.admin, r, voided->id));
    f.clock.advance(1h);
    std::map<std::string, std::string> states;
    for (const auto& v : credentials_of(f.admin, r)) states[v.id] = v.state;
    EXPECT_EQ(states, (std::map<std::string, std::string>{
                          {gone->id, "expired"}, {voided->id, "revoked"}, {active->id, "active"}}));
}

TEST_F(repository_credentials, another_repositorys_credential_cannot_be_revoked_by_mistake)
{
    const auto made = make({});
    const auto other = f.store.repository_of({enrol(f, f.new_token()).id}).value();
    EXPECT_EQ(revoke_credential(f.admin, other, made->id).error().code, fault_code::not_found);
    EXPECT_FALSE(f.store.find_credential(made->id)->revoked_at);
    EXPECT_EQ(revoke_credential(f.admin, r, "cred_absent").error().code, fault_code::not_found);
}

TEST_F(repository_credentials, a_maintenance_has_an_end)
{
    EXPECT_EQ(begin_maintenance(f.admin, r, std::chrono::days{8}).error().code, fault_code::invalid_value);
    const auto until = begin_maintenance(f.admin, r, 1h);
    ASSERT_TRUE(until);
    EXPECT_EQ(*until, f.clock.now() + 1h);
    EXPECT_EQ(f.store.objects().state(r.id).maintenance_until, *until);
    end_maintenance(f.admin, r);
    EXPECT_FALSE(f.store.objects().state(r.id).maintenance_until);
}

} // namespace
} // namespace xentz::control
