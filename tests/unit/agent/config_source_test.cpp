#include "agent/config_source.hpp"
#include "machine.hpp"
#include "support/golden.hpp"

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;

struct config_of_a_run : testing::Test {
    machine m;
    local_config local = m.enrolled_config();

    config_of_a_run() { m.enrol(); }

    base::result<effective_config> load()
    {
        const auto client = m.env.make_client({});
        control_plane server{*client, *local.server_url};
        return load_config(m.env, local, &server, {});
    }
    std::string asked_with() const
    {
        const auto requests = m.network.requests_to("/v1/config");
        const auto* tag = requests.empty() ? nullptr : http::find_header(requests.back().headers, "If-None-Match");
        return tag == nullptr ? "(absent)" : *tag;
    }
    std::optional<cached_config> cached() { return load_cached_config(m.env.files, m.env.home); }
};

TEST_F(config_of_a_run, is_the_servers_and_is_cached)
{
    const auto c = load();
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->origin, config_origin::server);
    EXPECT_EQ(c->config.include, std::vector<std::string>{"/srv"});
    EXPECT_EQ(c->fetched_at, m.clock.now());
    EXPECT_FALSE(c->fetch_fault);
    EXPECT_EQ(asked_with(), "(absent)");
    test::expect_golden("agent/config.cached.json", m.read(m.env.home.cached_config()));
}

TEST_F(config_of_a_run, unchanged_is_confirmed)
{
    ASSERT_TRUE(load());
    m.clock.advance(1h);
    const auto c = load();
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(asked_with(), "\"v1\"");
    EXPECT_EQ(c->origin, config_origin::server);
    EXPECT_EQ(c->config.include, std::vector<std::string>{"/srv"});
    EXPECT_EQ(c->fetched_at, m.clock.now());
    EXPECT_EQ(cached()->fetched_at, m.clock.now());
    test::expect_golden("agent/contact.json", m.read(m.env.home.contact()));
}

TEST_F(config_of_a_run, is_as_old_as_it_was_fetched_where_the_confirmation_is_lost_or_of_another)
{
    ASSERT_TRUE(load());
    const auto fetched = m.clock.now();
    m.clock.advance(1h);
    ASSERT_TRUE(load());
    for (const auto* text : {"", "{", R"({"format":1,"etag":"\"v2\"","confirmed_at":"2027-01-01T00:00:00Z"})"}) {
        m.write(m.env.home.contact(), text);
        ASSERT_TRUE(cached());
        EXPECT_EQ(cached()->fetched_at, fetched) << text;
    }
}

TEST_F(config_of_a_run, changed_replaces_the_cached_one)
{
    ASSERT_TRUE(load());
    m.server.etag = "\"v2\"";
    m.server.config.include = {"/home"};
    EXPECT_EQ(load()->config.include, std::vector<std::string>{"/home"});
    m.server.how = plane::away;
    EXPECT_EQ(load()->config.include, std::vector<std::string>{"/home"});
}

TEST_F(config_of_a_run, is_the_cached_one_after_any_failure)
{
    ASSERT_TRUE(load());
    const auto fetched = m.clock.now();
    m.clock.advance(24h);
    const std::vector<std::pair<plane, fault_code>> failures = {{plane::away, fault_code::network_unreachable},
                                                                {plane::refuses, fault_code::server_refused},
                                                                {plane::fails, fault_code::server_failed},
                                                                {plane::portal, fault_code::protocol_error}};
    for (const auto& [how, code] : failures) {
        m.server.how = how;
        const auto c = load();
        ASSERT_TRUE(c) << c.error().message;
        EXPECT_EQ(c->origin, config_origin::cache);
        EXPECT_EQ(c->config.include, std::vector<std::string>{"/srv"});
        EXPECT_EQ(c->fetched_at, fetched);
        ASSERT_TRUE(c->fetch_fault);
        EXPECT_EQ(c->fetch_fault->code, code);
    }
    EXPECT_TRUE(m.log.warned("using the config of 2026-11-23T18:31:05Z: no connection"));
}

TEST_F(config_of_a_run, is_missing_where_none_was_ever_fetched)
{
    m.server.how = plane::away;
    const auto c = load();
    EXPECT_EQ(code_of(c), "config-missing");
    EXPECT_EQ(c.error().message, "there is no config: no connection to host:1, and none was cached before");
    EXPECT_FALSE(c.error().remedy.empty());
}

TEST_F(config_of_a_run, that_breaks_a_rule_does_not_replace_the_cached_one)
{
    ASSERT_TRUE(load());
    m.server.etag = "\"v2\"";
    m.server.config.retention = {};
    const auto c = load();
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->origin, config_origin::cache);
    EXPECT_EQ(c->config.retention.keep_daily, 7U);
    EXPECT_EQ(c->fetch_fault->code, fault_code::config_refused);
    EXPECT_NE(c->fetch_fault->message.find("retention would keep no snapshot"), std::string::npos);
    EXPECT_EQ(cached()->etag, "\"v1\"");
}

TEST_F(config_of_a_run, every_part_is_checked)
{
    const auto fault = [](const std::function<void(wire::device_config&)>& change) {
        auto c = control_plane_model{}.config;
        change(c);
        const auto ok = validate(c);
        return ok ? "accepted" : ok.error().message;
    };
    EXPECT_EQ(fault([](auto&) {}), "accepted");
    EXPECT_TRUE(fault([](auto& c) { c.schedule.daily_at = "x"; }).starts_with("schedule.daily_at "));
    EXPECT_TRUE(fault([](auto& c) { c.include = {"x"}; }).starts_with("include[0] "));
    // A policy's thousand and the thousand that the device asked for when it enrolled.
    EXPECT_EQ(fault([](auto& c) { c.include.assign(2000, "/x"); }), "accepted");
    EXPECT_EQ(fault([](auto& c) { c.include.assign(2001, "/x"); }), "include has more than 2000 entries");
    EXPECT_TRUE(fault([](auto& c) { c.exclude = {""}; }).starts_with("exclude[0] "));
    EXPECT_TRUE(fault([](auto& c) { c.restic.compression = "x"; }).starts_with("restic.compression "));
    EXPECT_TRUE(fault([](auto& c) { c.retention = {}; }).starts_with("retention "));
    EXPECT_TRUE(fault([](auto& c) { c.restic.repository = ""; }).starts_with("restic.repository "));
    EXPECT_TRUE(fault([](auto& c) {
                    c.restic.repository = "rest:https://h/" + std::string(4096, 'r');
                }).starts_with("restic.repository "));
    EXPECT_TRUE(fault([](auto& c) { c.restic.repository = "rest:https://a\nb"; }).starts_with("restic.repository "));
    EXPECT_EQ(fault([](auto& c) { c.requires_features = {"locks"}; }),
              "requires: this agent does not know \"locks\"; it is too old");
    EXPECT_EQ(fault([](auto& c) { c.requires_features = std::vector<std::string>{}; }), "accepted");
}

// restic starts programs for some back ends: whoever holds the control plane must not run commands on its devices.
TEST_F(config_of_a_run, only_a_rest_repository_is_taken_from_a_server)
{
    for (const auto* address : {"/srv/repository", "sftp:host:/x", "rclone:x:y", "s3:https://h/b", "rest:/x",
                                "rest:unix:///x", "REST:https://h/", "https://h/", " rest:https://h/"}) {
        m.server.config.restic.repository = address;
        const auto c = load();
        EXPECT_EQ(code_of(c), "config-missing") << address;
        EXPECT_NE(c.error().message.find("restic.repository must be a rest:http(s):// address"), std::string::npos);
    }
    m.server.config.restic.repository = "rest:http://127.0.0.1:8000/x";
    EXPECT_EQ(code_of(load()), "done");
}

TEST_F(config_of_a_run, a_revocation_is_remembered_until_the_server_gives_a_config_again)
{
    ASSERT_TRUE(load());
    m.server.how = plane::revokes;
    EXPECT_EQ(code_of(load()), "device-revoked");
    for (const auto how : {plane::away, plane::fails, plane::refuses, plane::portal}) {
        m.server.how = how;
        EXPECT_EQ(code_of(load()), "device-revoked");
    }
    m.server.how = plane::up;
    const auto c = load();
    EXPECT_EQ(asked_with(), "(absent)"); // "not changed" would be no config
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->origin, config_origin::server);
    m.server.how = plane::away;
    EXPECT_EQ(code_of(load()), "done");
}

TEST_F(config_of_a_run, a_device_that_was_revoked_before_its_first_config_stays_so)
{
    m.server.how = plane::revokes;
    EXPECT_EQ(code_of(load()), "device-revoked");
    m.server.how = plane::away;
    EXPECT_EQ(code_of(load()), "device-revoked");
}

TEST_F(config_of_a_run, disabled_is_remembered)
{
    m.server.config.enabled = false;
    EXPECT_FALSE(load()->config.enabled);
    m.server.how = plane::away;
    const auto c = load();
    ASSERT_TRUE(c);
    EXPECT_FALSE(c->config.enabled);
}

TEST_F(config_of_a_run, has_what_the_machine_adds)
{
    local.include = {"/srv", "/opt"};
    local.exclude = {"*.tmp", "*.bak"};
    const auto c = load();
    EXPECT_EQ(c->config.include, (std::vector<std::string>{"/srv", "/opt"}));
    EXPECT_EQ(c->config.exclude, (std::vector<std::string>{"*.tmp", "*.bak"}));
    EXPECT_EQ(m.read(m.env.home.cached_config()).find("/opt"), std::string::npos); // not taken for the server's
}

TEST_F(config_of_a_run, a_damaged_cache_counts_as_none)
{
    for (const auto* text :
         {"", "{", "[]", R"({"format":1,"etag":"\"v1\"","fetched_at":"2026-01-01T00:00:00Z","config":{}})",
          R"({"format":1,"etag":"","fetched_at":"2026-01-01T00:00:00Z","revoked":false,"config":[]})"}) {
        m.write(m.env.home.cached_config(), text);
        m.server.how = plane::away;
        EXPECT_EQ(code_of(load()), "config-missing") << text;
        m.server.how = plane::up;
        EXPECT_EQ(code_of(load()), "done") << text;
    }
}

// Whoever sends the tag of a config that it cannot read would hear "not changed" for ever.
TEST_F(config_of_a_run, a_cached_config_that_cannot_be_used_is_fetched_whole)
{
    ASSERT_TRUE(load());
    auto damaged = *cached();
    damaged.config.as_object().erase("schedule");
    m.write(m.env.home.cached_config(), wire::encode(damaged));
    const auto c = load();
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(asked_with(), "(absent)");
    EXPECT_EQ(c->config.schedule.daily_at, "02:00");
}

TEST_F(config_of_a_run, a_cache_that_cannot_be_written_stops_nothing)
{
    m.memory.power_off_at(2); // after the look for a cached one
    const auto c = load();
    m.memory.heal();
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->origin, config_origin::server);
    EXPECT_TRUE(m.log.warned("the config could not be cached"));
}

TEST_F(config_of_a_run, its_secrets_are_never_shown)
{
    m.server.config.restic.repository = "rest:https://dev_1:fresh-credential@repo.example.com/r/";
    ASSERT_TRUE(load());
    EXPECT_EQ(m.env.secrets->clean("fresh-credential repository-password"), "*** ***");
}

TEST(config_source, without_a_control_plane_it_is_the_local_one)
{
    machine m;
    auto local = m.legacy_config();
    local.exclude = {"*.o"};
    local.schedule.daily_at = "04:00";
    const auto c = load_config(m.env, local, nullptr, {});
    ASSERT_TRUE(c);
    EXPECT_EQ(c->origin, config_origin::local);
    EXPECT_TRUE(c->config.enabled);
    EXPECT_EQ(c->config.include, std::vector<std::string>{"/srv"});
    EXPECT_EQ(c->config.exclude, std::vector<std::string>{"*.o"});
    EXPECT_EQ(c->config.restic.repository, "/mnt/disk/repository");
    EXPECT_EQ(c->config.retention.keep_last, 2U);
    EXPECT_EQ(c->config.schedule.daily_at, "04:00");
    local.enabled = false;
    EXPECT_FALSE(load_config(m.env, local, nullptr, {})->config.enabled);
    EXPECT_TRUE(m.network.requests.empty());
}

TEST(config_source, the_connection_follows_config_json)
{
    local_config local;
    local.ca_file = "/etc/ca.pem";
    local.allow_http = true;
    const auto o = client_options_of(local, "0.1.0");
    EXPECT_EQ(o.ca_file, "/etc/ca.pem");
    EXPECT_TRUE(o.allow_http);
    EXPECT_EQ(o.user_agent, "xentz-agent/0.1.0");
    EXPECT_FALSE(client_options_of({}, "").ca_file);
    EXPECT_FALSE(client_options_of({}, "").allow_http);
}

} // namespace
} // namespace xentz::agent
