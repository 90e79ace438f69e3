#include "control/policy_file.hpp"
#include "fleet.hpp"

namespace xentz::control {
namespace {

using namespace std::chrono_literals;

using base::fault_code;

template <class T>
std::string fault_of(const base::result<T>& r)
{
    return r ? "done" : std::string{base::name(r.error().code)} + ": " + base::sentence(r.error());
}

TEST(tenants, have_a_default_policy_from_the_start)
{
    fleet f;
    const auto t = create_tenant(f.admin, "work");
    ASSERT_TRUE(t);
    EXPECT_EQ(t->name, "work");
    EXPECT_EQ(t->custody, "server");
    EXPECT_EQ(t->created_at, f.clock.now());
    const auto p = f.store.find_policy(domain::tenant_id{t->tenant_id}, "default");
    ASSERT_TRUE(p);
    EXPECT_EQ(*wire::decode<domain::policy>(p->document), domain::default_policy());
}

TEST(tenants, have_a_name_of_their_own)
{
    fleet f;
    EXPECT_EQ(fault_of(create_tenant(f.admin, "home")), "conflict: there is a tenant named home already.");
    EXPECT_TRUE(
        fault_of(create_tenant(f.admin, "My Home")).starts_with("invalid-value: the tenant's name must be 1 to 64"));
    EXPECT_EQ(f.store.tenants().size(), 1U);
}

TEST(tenants, are_found_by_name_and_id)
{
    fleet f;
    EXPECT_EQ(tenant_named(f.admin, "home")->id, f.home.id);
    EXPECT_EQ(tenant_named(f.admin, f.home.id.text)->name, "home");
    EXPECT_EQ(fault_of(tenant_named(f.admin, "nowhere")),
              "not-found: there is no tenant named nowhere. The tenants are: home.");
}

TEST(tenants, need_not_be_named_where_there_is_one)
{
    fleet f;
    EXPECT_EQ(tenant_or_only(f.admin, "")->id, f.home.id);
    EXPECT_EQ(tenant_or_only(f.admin, "home")->id, f.home.id);
    EXPECT_FALSE(tenant_or_only(f.admin, "nowhere"));
    f.clock.advance(1s);
    ASSERT_TRUE(create_tenant(f.admin, "work"));
    EXPECT_EQ(fault_of(tenant_or_only(f.admin, "")),
              "usage: there are several tenants. Name one with --tenant: home, work.");
}

TEST(tenants, the_first_one_has_to_be_made)
{
    fakes::scratch_folder folder;
    store::fleet_store store{sql::open_database("sqlite:" + (folder.path() / "x.db").string())};
    store.migrate();
    fakes::fake_clock clock;
    fakes::fake_random random;
    administrator a{store, clock, random};
    EXPECT_EQ(fault_of(tenant_or_only(a, "")),
              "not-found: there is no tenant yet. Create one with `xentz-server tenant create NAME`.");
    EXPECT_EQ(fault_of(tenant_named(a, "x")),
              "not-found: there is no tenant named x. Create one with `xentz-server tenant create NAME`.");
}

TEST(tenants, custody_can_be_set)
{
    fleet f;
    EXPECT_TRUE(set_tenant(f.admin, f.home, "custody=device"));
    EXPECT_EQ(f.store.find_tenant("home")->custody, "device");
    EXPECT_TRUE(set_tenant(f.admin, f.home, "custody=server"));
    EXPECT_EQ(f.store.find_tenant("home")->custody, "server");
    EXPECT_EQ(fault_of(set_tenant(f.admin, f.home, "custody=nobody")),
              "invalid-value: custody must be server, sealed or device, not \"nobody\".");
    for (const auto* wrong : {"custody", "", "=", "colour=1", "Custody=server", "repository-quotas=1"})
        EXPECT_TRUE(fault_of(set_tenant(f.admin, f.home, wrong)).starts_with("usage: ")) << wrong;
    EXPECT_EQ(f.store.find_tenant("home")->custody, "server");
}

TEST(tenants, rules_of_their_repositories_can_be_set_and_taken_back)
{
    fleet f;
    for (const auto* setting :
         {"protection=append-only", "trash-days=7", "quota=2GiB", "repository-quota=500 MB", "trash-factor=3"})
        EXPECT_TRUE(set_tenant(f.admin, f.home, setting)) << setting;
    auto v = view(f.home, f.store);
    EXPECT_EQ(v.protection, "append-only");
    EXPECT_EQ(v.trash_days, 7);
    EXPECT_EQ(v.quota_bytes, std::int64_t{2} << 30U);
    EXPECT_EQ(v.repository_quota_bytes, 500'000'000);
    EXPECT_EQ(v.trash_factor, 3);
    for (const auto* setting : {"protection=default", "trash-days=default", "quota=default"})
        EXPECT_TRUE(set_tenant(f.admin, f.home, setting)) << setting;
    v = view(f.home, f.store);
    EXPECT_EQ(v.protection, "guarded");
    EXPECT_EQ(v.trash_days, 30);
    EXPECT_FALSE(v.quota_bytes);
    for (const auto* wrong : {"protection=none", "trash-days=0", "trash-days=x", "quota=-1", "quota=5 apples",
                              "quota=99999999999999999999", "trash-factor=0"})
        EXPECT_TRUE(fault_of(set_tenant(f.admin, f.home, wrong)).starts_with("invalid-value: ")) << wrong;
}

TEST(tokens, are_shown_once_and_stored_as_a_hash)
{
    fleet f;
    const auto t = create_token(f.admin, f.home, {.uses = 3, .ttl = 2h});
    ASSERT_TRUE(t);
    EXPECT_TRUE(t->token.starts_with("xit_"));
    EXPECT_EQ(t->expires_at, f.clock.now() + 2h);
    const auto row = f.store.tokens(f.home.id).front();
    EXPECT_EQ(row.id.text, t->id);
    EXPECT_EQ(row.token_hash, crypto::token_hash(t->token));
    EXPECT_EQ(row.uses_total, 3);
    EXPECT_EQ(row.uses_left, 3);
    EXPECT_EQ(wire::encode(view(row, f.clock.now())).find(row.token_hash), std::string::npos);
}

TEST(tokens, have_limits)
{
    fleet f;
    for (const auto uses : {0, -1, 100'001})
        EXPECT_EQ(fault_of(create_token(f.admin, f.home, {.uses = uses})),
                  "invalid-value: --uses must be 1 to 100000.");
    for (const auto ttl : {0s, -1s, 59s, 365 * 86400s + 1s})
        EXPECT_EQ(fault_of(create_token(f.admin, f.home, {.ttl = ttl})),
                  "invalid-value: --ttl must be 1 minute to 1 year.");
    EXPECT_EQ(fault_of(create_token(f.admin, f.home, {.policy = "nope"})),
              "not-found: tenant home has no policy named nope. See `xentz-server policy list`.");
    EXPECT_TRUE(create_token(f.admin, f.home, {.uses = 100'000, .ttl = 365 * 86400s}));
    EXPECT_TRUE(create_token(f.admin, f.home, {.uses = 1, .ttl = 60s}));
    EXPECT_EQ(f.store.tokens(std::nullopt).size(), 2U);
}

TEST(tokens, are_listed_with_their_state)
{
    fleet f;
    const auto state = [&](const std::string& id) {
        for (const auto& row : f.store.tokens(std::nullopt))
            if (row.id.text == id) return view(row, f.clock.now()).state;
        return std::string{"gone"};
    };
    const auto t = *create_token(f.admin, f.home, {.ttl = 1h});
    EXPECT_EQ(state(t.id), "usable");
    f.clock.advance(1h);
    EXPECT_EQ(state(t.id), "expired");
    const auto used = *create_token(f.admin, f.home, {});
    enrol(f, used.token);
    EXPECT_EQ(state(used.id), "used");
    f.store.revoke_token(domain::token_id{used.id}, f.clock.now());
    EXPECT_EQ(state(used.id), "revoked");
}

struct duration {
    const char* text;
    std::chrono::seconds expected; // zero: refused
};

void PrintTo(const duration& d, std::ostream* out) { *out << '"' << d.text << '"'; }

class ttl : public testing::TestWithParam<duration> {};

TEST_P(ttl, is_read_or_refused)
{
    const auto r = parse_ttl(GetParam().text);
    if (GetParam().expected == 0s) {
        ASSERT_FALSE(r);
        EXPECT_EQ(r.error().code, fault_code::invalid_value);
        EXPECT_EQ(r.error().remedy, "Use a number with s, m, h or d, for example 24h");
    } else {
        ASSERT_TRUE(r) << r.error().message;
        EXPECT_EQ(*r, GetParam().expected);
    }
}

INSTANTIATE_TEST_SUITE_P(administration, ttl,
                         testing::Values(duration{"90s", 90s}, duration{"60s", 60s}, duration{"1m", 60s},
                                         duration{"30m", 1800s}, duration{"24h", 86400s}, duration{"7d", 604800s},
                                         duration{"365d", 31536000s}, duration{"8760h", 31536000s},
                                         duration{"007d", 604800s}, duration{"59s", 0s}, duration{"0d", 0s},
                                         duration{"366d", 0s}, duration{"8761h", 0s}, duration{"", 0s},
                                         duration{"h", 0s}, duration{"24", 0s}, duration{"24 h", 0s},
                                         duration{"24hh", 0s}, duration{"24H", 0s}, duration{"-24h", 0s},
                                         duration{"+24h", 0s}, duration{"1.5h", 0s}, duration{"24w", 0s},
                                         duration{" 24h", 0s}, duration{"100000001s", 0s},
                                         duration{"99999999999999999999d", 0s}, duration{"24h\n", 0s}));

TEST(policy_file, a_missing_part_is_the_defaults)
{
    const auto p = read_policy("{}");
    ASSERT_TRUE(p) << p.error().message;
    EXPECT_EQ(*p, domain::default_policy());
    const auto with_nulls =
        read_policy(R"({"schedule":null,"include":null,"exclude":null,"restic":null,"retention":null})");
    ASSERT_TRUE(with_nulls) << with_nulls.error().message;
    EXPECT_EQ(*with_nulls, domain::default_policy());
}

TEST(policy_file, a_part_that_is_there_means_what_it_says)
{
    const auto p = read_policy(R"({"schedule":{"daily_at":"03:00"},"exclude":[],"retention":{"keep_daily":2}})");
    ASSERT_TRUE(p) << p.error().message;
    EXPECT_EQ(p->schedule, (domain::schedule{.daily_at = "03:00"})); // no jitter of the default
    EXPECT_TRUE(p->exclude.empty());
    EXPECT_EQ(p->retention, (domain::retention{.keep_daily = 2}));
    EXPECT_EQ(fault_of(read_policy(R"({"retention":{}})")),
              "invalid-value: retention would keep no snapshot at all; set at least one keep_ value.");
}

TEST(policy_file, an_unknown_key_is_named)
{
    const auto unknown = [](const std::string& text) {
        const auto r = read_policy(text);
        return r ? "accepted" : r.error().message;
    };
    EXPECT_EQ(unknown(R"({"includes":["/a"]})"), "includes: no policy has such a key");
    EXPECT_EQ(unknown(R"({"schedule":{"dayly_at":"02:00"}})"), "schedule.dayly_at: no policy has such a key");
    EXPECT_EQ(unknown(R"({"restic":{"password":"x"}})"), "restic.password: no policy has such a key");
    EXPECT_EQ(unknown(R"({"retention":{"keep_last":1,"keep-daily":7}})"),
              "retention.keep-daily: no policy has such a key");
}

TEST(policy_file, what_the_server_fills_in_may_stand_there)
{
    const auto p = read_policy(R"({"version":"x","enabled":false,"include":["/a"],)"
                               R"("restic":{"repository":"r","protection":"full","compression":"max"}})");
    ASSERT_TRUE(p) << p.error().message;
    EXPECT_EQ(p->include, std::vector<std::string>{"/a"});
    EXPECT_EQ(p->restic.compression, "max");
}

TEST(policy_file, what_is_wrong_is_told_with_its_place)
{
    EXPECT_EQ(fault_of(read_policy("[]")), "invalid-value: expected an object, got an array.");
    EXPECT_EQ(fault_of(read_policy(R"({"schedule":[]})")),
              "invalid-value: schedule: expected an object, got an array.");
    EXPECT_EQ(fault_of(read_policy(R"({"retention":{"keep_daily":"7"}})")),
              "invalid-value: retention.keep_daily: expected a number, got a string.");
    EXPECT_EQ(fault_of(read_policy(R"({"include":["relative"]})")),
              "invalid-value: include[0] must be an absolute path, not \"relative\".");
    EXPECT_TRUE(fault_of(read_policy("{")).starts_with("invalid-value: not valid JSON"));
}

TEST(policies, are_applied_whole_or_not_at_all)
{
    fleet f;
    EXPECT_FALSE(apply_policy(f.admin, f.home, "default", R"({"include":["relative"]})"));
    EXPECT_EQ(*wire::decode<domain::policy>(f.store.find_policy(f.home.id, "default")->document),
              domain::default_policy());
    f.clock.advance(1h);
    EXPECT_TRUE(apply_policy(f.admin, f.home, "default", R"({"include":["/a"]})"));
    const auto row = *f.store.find_policy(f.home.id, "default");
    EXPECT_EQ(wire::decode<domain::policy>(row.document)->include, std::vector<std::string>{"/a"});
    EXPECT_EQ(row.updated_at, f.clock.now());
    EXPECT_TRUE(
        fault_of(apply_policy(f.admin, f.home, "No Name", "{}")).starts_with("invalid-value: the policy's name"));
}

TEST(policies, are_shown_as_they_can_be_applied_again)
{
    fleet f;
    const auto shown = view(*f.store.find_policy(f.home.id, "default"));
    EXPECT_EQ(*read_policy(wire::print_json(shown.policy)), domain::default_policy());
}

TEST(policies, are_assigned_within_a_tenant)
{
    fleet f;
    const domain::device_id d{enrol(f, f.new_token()).id};
    ASSERT_TRUE(create_tenant(f.admin, "work"));
    ASSERT_TRUE(apply_policy(f.admin, *f.store.find_tenant("work"), "big", "{}"));
    EXPECT_EQ(fault_of(assign_policy(f.admin, "big", d)),
              "not-found: the device's tenant has no policy named big. See `xentz-server policy list`.");
    EXPECT_EQ(fault_of(assign_policy(f.admin, "default", domain::device_id{"dev_x"})),
              "not-found: there is no device dev_x. See `xentz-server device list`.");
    EXPECT_TRUE(assign_policy(f.admin, "default", d));
}

TEST(devices, are_shown_with_their_latest_reports_and_without_secrets)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    const auto report = [&](const std::string& job, const std::string& status, const std::string& hour) {
        return report_call(f.s, post(d.key, R"({"device_id":")" + d.id + R"(","job":")" + job + R"(","status":")" +
                                                status + R"(","duration_ms":1,"started_at":"2026-11-23T)" + hour +
                                                R"(:00:00Z","finished_at":"2026-11-23T)" + hour + R"(:30:00Z"})"));
    };
    for (const auto& r : {report("backup", "success", "01"), report("backup", "partial", "02"),
                          report("backup", "failure", "03"), report("retention", "success", "04")})
        ASSERT_EQ(r.status, 200) << body_of(r);
    const auto row = *device_with_id(f.admin, d.id);
    auto v = view(row, f.store);
    EXPECT_EQ(v.device_id, d.id);
    EXPECT_EQ(v.state, "active");
    EXPECT_EQ(base::to_rfc3339(v.last_good_backup_at.value()), "2026-11-23T02:30:00Z");
    ASSERT_EQ(v.latest.size(), 2U);
    EXPECT_EQ(v.latest[0].job, "backup");
    EXPECT_EQ(v.latest[0].status, "failure");
    EXPECT_EQ(v.latest[1].job, "retention");
    EXPECT_EQ(v.include, wire::json::value(wire::json::array{}));
    const auto text = wire::encode(v);
    EXPECT_EQ(text.find(row.key_hash), std::string::npos);
    f.store.set_device_enabled(row.id, false);
    EXPECT_EQ(view(*device_with_id(f.admin, d.id), f.store).state, "disabled");
    f.store.revoke_device(row.id, f.clock.now());
    v = view(*device_with_id(f.admin, d.id), f.store);
    EXPECT_EQ(v.state, "revoked");
    EXPECT_EQ(v.revoked_at, f.clock.now());
}

TEST(users, get_a_password_that_is_shown_once)
{
    fleet f;
    const auto u = create_user(f.admin, "anna@example.com");
    ASSERT_TRUE(u);
    EXPECT_EQ(u->password.size(), 24U);
    auto row = f.store.users().front();
    EXPECT_TRUE(crypto::check_login_password(u->password, row.password_hash));
    EXPECT_EQ(fault_of(create_user(f.admin, "anna@example.com")),
              "conflict: there is a user anna@example.com already.");
    const auto fresh = reset_password(f.admin, "anna@example.com");
    ASSERT_TRUE(fresh);
    row = f.store.users().front();
    EXPECT_TRUE(crypto::check_login_password(fresh->password, row.password_hash));
    EXPECT_FALSE(crypto::check_login_password(u->password, row.password_hash));
    EXPECT_EQ(fault_of(reset_password(f.admin, "eve@example.com")),
              "not-found: there is no user eve@example.com. See `xentz-server user list`.");
}

TEST(users, have_an_address)
{
    fleet f;
    for (const auto& bad : {std::string{}, std::string{"anna"}, std::string{"@x"}, std::string{"anna@"},
                            std::string{"an na@x"}, std::string{"anna@x\n"}, std::string(250, 'a') + "@x.de"})
        EXPECT_TRUE(fault_of(create_user(f.admin, bad)).starts_with("invalid-value: ")) << bad;
    EXPECT_TRUE(f.store.users().empty());
}

} // namespace
} // namespace xentz::control
