#include "control/config_document.hpp"
#include "fleet.hpp"

#include <rapidcheck.h>

namespace xentz::control {
namespace {

using namespace std::chrono_literals;

wire::device_config config_of(const http::response& r)
{
    EXPECT_EQ(r.status, 200) << body_of(r);
    const auto c = wire::decode_config(body_of(r));
    if (!c) ADD_FAILURE() << c.error().message;
    return c.value_or(wire::device_config{});
}

const std::string with_folders =
    R"({"metadata":{"hostname":"web1","os":"linux","arch":"amd64"},"include":["/srv","/etc","/srv"]})";

TEST(config, is_the_policy_and_what_the_device_asked_for)
{
    fleet f;
    ASSERT_TRUE(apply_policy(f.admin, f.home, "default",
                             R"({"schedule":{"daily_at":"03:30"},"include":["/etc","/home"],"exclude":["*.tmp"],)"
                             R"("restic":{"compression":"max","limit_upload_kib":5},"retention":{"keep_daily":7}})"));
    const auto d = enrol(f, f.new_token(), with_folders);
    const auto r = get_config(f, d.key);
    const auto c = config_of(r);
    EXPECT_TRUE(c.enabled);
    EXPECT_EQ(c.schedule.daily_at, "03:30");
    EXPECT_EQ(c.include, (std::vector<std::string>{"/etc", "/home", "/srv"})); // each once, the policy's first
    EXPECT_EQ(c.exclude, std::vector<std::string>{"*.tmp"});
    EXPECT_EQ(c.restic.repository, d.repository);
    EXPECT_EQ(c.restic.protection, "guarded");
    EXPECT_EQ(c.restic.compression, "max");
    EXPECT_EQ(c.restic.limit_upload_kib, 5U);
    EXPECT_FALSE(c.restic.limit_download_kib);
    EXPECT_EQ(c.retention, (domain::retention{.keep_daily = 7}));
    EXPECT_FALSE(c.requires_features);
    EXPECT_EQ(header_of(r, "Content-Type"), "application/json");
    EXPECT_EQ(header_of(r, "ETag"), "\"" + c.version + "\"");
    EXPECT_EQ(header_of(r, "Cache-Control"), "private, no-cache");
}

TEST(config, is_the_default_policys_from_the_first_minute)
{
    fleet f;
    const auto c = config_of(get_config(f, enrol(f, f.new_token()).key));
    const auto p = domain::default_policy();
    EXPECT_EQ(c.schedule, p.schedule);
    EXPECT_EQ(c.retention, p.retention);
    EXPECT_EQ(c.exclude, p.exclude);
    EXPECT_TRUE(c.include.empty());
}

TEST(config, has_not_changed_where_its_tag_is_known)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    const auto tag = header_of(get_config(f, d.key), "ETag");
    const auto again = get_config(f, d.key, {{"If-None-Match", tag}});
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(body_of(again), "");
    EXPECT_EQ(header_of(again, "ETag"), tag);
    EXPECT_EQ(get_config(f, d.key, {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST(config, tags_are_compared_as_http_says)
{
    EXPECT_TRUE(matches_etag("\"a\"", "\"a\""));
    EXPECT_TRUE(matches_etag("W/\"a\"", "\"a\""));
    EXPECT_TRUE(matches_etag("\"x\", W/\"a\" ,\"y\"", "\"a\""));
    EXPECT_TRUE(matches_etag("\"x\",\"a\"", "\"a\""));
    EXPECT_TRUE(matches_etag("*", "\"a\""));
    EXPECT_FALSE(matches_etag("", "\"a\""));
    EXPECT_FALSE(matches_etag("a", "\"a\""));
    EXPECT_FALSE(matches_etag("\"A\"", "\"a\""));
    EXPECT_FALSE(matches_etag("\"ab\"", "\"a\""));
    EXPECT_FALSE(matches_etag(",,", "\"a\""));
}

TEST(config, its_version_changes_with_each_part_and_with_nothing_else)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    auto version = config_of(get_config(f, d.key)).version;
    const auto changed = [&] {
        const auto now = config_of(get_config(f, d.key)).version;
        return std::exchange(version, now) != now;
    };
    EXPECT_FALSE(changed());
    f.clock.advance(48h);
    EXPECT_FALSE(changed());
    for (const auto* part : {R"({"schedule":{"daily_at":"04:00"}})", R"({"include":["/etc"]})", R"({"exclude":["x"]})",
                             R"({"restic":{"compression":"off"}})", R"({"retention":{"keep_last":1}})"}) {
        ASSERT_TRUE(apply_policy(f.admin, f.home, "default", part));
        EXPECT_TRUE(changed()) << part;
        ASSERT_TRUE(apply_policy(f.admin, f.home, "default", part)); // the same again
        EXPECT_FALSE(changed()) << part;
    }
    f.store.set_device_enabled(domain::device_id{d.id}, false);
    EXPECT_TRUE(changed());
    f.s.public_url = "https://elsewhere.example.com";
    EXPECT_TRUE(changed());
}

TEST(config, carries_a_wish_for_a_backup_for_a_week)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    const auto before = config_of(get_config(f, d.key));
    EXPECT_FALSE(before.backup_now);
    f.store.request_backup({domain::device_id{d.id}, "req_1", f.clock.now()});
    const auto after = config_of(get_config(f, d.key));
    EXPECT_NE(after.version, before.version) << "or a device that has the old one would not see it";
    EXPECT_EQ(after.backup_now, "req_1");
    f.clock.advance(7 * 24h + 1h);
    EXPECT_EQ(config_of(get_config(f, d.key)).version, before.version);
}

// As many as both may name by themselves; the agent's limit is the sum.
TEST(config, holds_all_that_a_policy_and_a_device_may_include)
{
    auto policy = domain::default_policy();
    std::vector<std::string> own;
    for (std::size_t i = 0; i < domain::most_paths; ++i) {
        policy.include.push_back("/policy/" + std::to_string(i));
        own.push_back("/own/" + std::to_string(i));
    }
    store::device device;
    device.include = wire::print_json(wire::to_json(own));
    const auto config = wire::decode_config(make_config_document(policy, device, "rest:https://h/", "guarded").body);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->include.size(), domain::most_config_paths);
    EXPECT_TRUE(domain::validate_include(config->include, domain::most_config_paths));
}

TEST(config, the_same_inputs_give_the_same_bytes)
{
    EXPECT_TRUE(rc::check([](std::uint32_t keep, bool enabled, const std::string& address) {
        auto policy = domain::default_policy();
        policy.retention.keep_last = keep;
        store::device device;
        device.include = "[]";
        device.enabled = enabled;
        const auto one = make_config_document(policy, device, address, "guarded");
        RC_ASSERT(one.body == make_config_document(policy, device, address, "guarded").body);
        device.enabled = !enabled;
        const auto other = make_config_document(policy, device, address, "guarded");
        RC_ASSERT(one.version != other.version);
        RC_ASSERT(one.etag() == "\"" + one.version + "\"");
    }));
}

TEST(config, another_policy_may_be_assigned)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    ASSERT_TRUE(apply_policy(f.admin, f.home, "big", R"({"include":["/data"]})"));
    ASSERT_TRUE(assign_policy(f.admin, "big", domain::device_id{d.id}));
    EXPECT_EQ(config_of(get_config(f, d.key)).include, std::vector<std::string>{"/data"});
}

TEST(config, a_token_may_name_the_policy)
{
    fleet f;
    ASSERT_TRUE(apply_policy(f.admin, f.home, "big", R"({"include":["/data"]})"));
    const auto d = enrol(f, f.new_token({.policy = "big"}));
    EXPECT_EQ(config_of(get_config(f, d.key)).include, std::vector<std::string>{"/data"});
}

TEST(config, a_disabled_device_is_told_so)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    f.store.set_device_enabled(domain::device_id{d.id}, false);
    EXPECT_FALSE(config_of(get_config(f, d.key)).enabled);
    f.store.set_device_enabled(domain::device_id{d.id}, true);
    EXPECT_TRUE(config_of(get_config(f, d.key)).enabled);
}

TEST(authentication, a_key_of_no_device_opens_nothing)
{
    fleet f;
    const auto token = f.new_token();
    const auto d = enrol(f, token);
    for (const auto& wrong : {std::string{}, std::string{"xdk_"}, d.key.substr(1), d.key + "0", token,
                              f.store.find_device(domain::device_id{d.id})->key_hash}) {
        EXPECT_EQ(kind_of(get_config(f, wrong)), "401 unauthorized") << wrong;
        EXPECT_EQ(kind_of(report_call(f.s, post(wrong, "{}"))), "401 unauthorized") << wrong;
    }
    http::request_head basic;
    basic.headers = {{"Authorization", "Basic " + d.key}};
    EXPECT_EQ(kind_of(config_call(f.s, basic)), "401 unauthorized");
    EXPECT_FALSE(f.store.find_device(domain::device_id{d.id})->last_seen_at);
}

TEST(the_epoch, is_told_with_each_success_and_with_no_refusal)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    EXPECT_EQ(header_of(get_config(f, d.key), wire::epoch_header), "") << "nothing was given";
    f.s.epoch = "epoch_1";
    const auto fresh = get_config(f, d.key);
    EXPECT_EQ(header_of(fresh, wire::epoch_header), "epoch_1");
    const auto same = get_config(f, d.key, {{"If-None-Match", header_of(fresh, "ETag")}});
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(header_of(same, wire::epoch_header), "epoch_1");
    EXPECT_EQ(header_of(get_config(f, "xdk_" + std::string(64, '0')), wire::epoch_header), "");
}

TEST(authentication, leaves_a_sign_of_life)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    f.clock.advance(1min);
    get_config(f, d.key);
    const auto first = f.clock.now();
    EXPECT_EQ(f.store.find_device(domain::device_id{d.id})->last_seen_at, first);
    f.clock.advance(59s);
    get_config(f, d.key);
    EXPECT_EQ(f.store.find_device(domain::device_id{d.id})->last_seen_at, first) << "no write for each call";
    f.clock.advance(1s);
    get_config(f, d.key);
    EXPECT_EQ(f.store.find_device(domain::device_id{d.id})->last_seen_at, f.clock.now());
}

TEST(authentication, a_revoked_device_is_told_so_and_leaves_none)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    f.store.revoke_device(domain::device_id{d.id}, f.clock.now());
    f.clock.advance(1min);
    EXPECT_EQ(kind_of(get_config(f, d.key)), "403 device-revoked");
    EXPECT_EQ(kind_of(report_call(f.s, post(d.key, "{}"))), "403 device-revoked");
    EXPECT_FALSE(f.store.find_device(domain::device_id{d.id})->last_seen_at);
}

} // namespace
} // namespace xentz::control
