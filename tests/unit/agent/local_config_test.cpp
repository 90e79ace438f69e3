#include "agent/local_config.hpp"
#include "machine.hpp"
#include "support/golden.hpp"

namespace xentz::agent {
namespace {

struct config_file : testing::Test {
    machine m;
    std::filesystem::path path = m.env.home.config;

    config_file() { EXPECT_TRUE(prepare(m.env.files, m.env.home)); }

    base::result<local_config> load() { return load_local_config(m.env.files, path, *m.env.secrets); }
    base::result<local_config> load(const std::string& text)
    {
        m.write(path, text);
        return load();
    }
    void save(const local_config& c) { ASSERT_TRUE(save_local_config(m.env.files, path, c)); }
};

// With paths that are the same on every machine.
local_config sample(const machine& m)
{
    auto c = m.enrolled_config();
    c.restic.password_file = "/var/lib/xentz-agent/restic.pw";
    c.ca_file = "/etc/xentz-agent/ca.pem";
    c.exclude = {"*.iso"};
    return c;
}

TEST_F(config_file, is_written_with_the_keys_of_the_contract)
{
    save(sample(m));
    test::expect_golden("agent/config.json", m.read(path));
    path = m.env.home.folder / "legacy.json";
    auto legacy = m.legacy_config();
    legacy.restic.password_file = "/root/password";
    save(legacy);
    test::expect_golden("agent/config.legacy.json", m.read(path));
}

TEST_F(config_file, is_read_as_written)
{
    const auto c = load(test::golden("agent/config.json"));
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(wire::encode(*c), wire::encode(sample(m)));
    EXPECT_TRUE(c->managed());
    EXPECT_FALSE(load(test::golden("agent/config.legacy.json"))->managed());
}

TEST_F(config_file, of_the_first_agent_is_understood)
{
    const auto c =
        load(R"({"server_url":"https://cp","tenant_id":"t","device_id":"d","device_api_key":"key-123",)"
             R"("user_id":"u","enabled":true,"schedule":{"daily_at":"01:30"},"include":["/a"],"exclude":null,)"
             R"("restic":{"repository":"rest:https://u:p@h/","password_file":"/p"},)"
             R"("retention":{"keep_daily":7,"keep_weekly":4,"prune":true}})");
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->schedule.daily_at, "01:30");
    EXPECT_EQ(c->include, std::vector<std::string>{"/a"});
    EXPECT_TRUE(c->exclude.empty());
    EXPECT_EQ(c->retention.keep_weekly, 4U);
    EXPECT_EQ(c->format, 1U);
}

TEST_F(config_file, keys_that_are_not_known_are_kept)
{
    m.write(
        path,
        R"({"mine":{"a":1},"user_id":"old","restic":{"repository":"x","cacert":"/c"},"schedule":{"weekly":"sun"}})");
    save(sample(m));
    const auto v = *wire::parse_json(m.read(path));
    EXPECT_EQ(v.at("mine").at("a"), 1);
    EXPECT_EQ(v.at("restic").at("cacert"), "/c");
    EXPECT_EQ(v.at("schedule").at("weekly"), "sun");
    EXPECT_EQ(v.at("user_id"), "default");
    EXPECT_NE(v.at("restic").at("repository"), "x");
}

TEST_F(config_file, keys_that_are_known_and_were_taken_away_are_gone)
{
    auto c = sample(m);
    c.schedule.retention_at = "05:00";
    c.retention.keep_within = "7d";
    save(c);
    save(m.legacy_config());
    const auto back = load();
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_FALSE(back->managed());
    EXPECT_FALSE(back->device_id);
    EXPECT_FALSE(back->device_api_key);
    EXPECT_FALSE(back->ca_file);
    EXPECT_FALSE(back->schedule.retention_at);
    EXPECT_FALSE(back->retention.keep_within);
    EXPECT_TRUE(back->exclude.empty());
}

TEST_F(config_file, a_damaged_one_is_replaced_when_a_new_one_is_saved)
{
    for (const auto* text : {"{", "[]", "", "{\"restic\":5}"}) {
        m.write(path, text);
        save(sample(m));
        EXPECT_TRUE(load()) << text;
    }
}

TEST_F(config_file, a_missing_one_means_not_enrolled)
{
    const auto c = load();
    EXPECT_EQ(code_of(c), "config-missing");
    EXPECT_EQ(c.error().message, "this machine is not enrolled: there is no " + path.string());
    EXPECT_FALSE(c.error().remedy.empty());
}

TEST_F(config_file, one_that_cannot_be_used_says_why_and_where)
{
    const auto fault = [&](const std::string& text) {
        const auto c = load(text);
        EXPECT_EQ(code_of(c), "config-invalid") << text;
        return c ? "" : c.error().message.substr(path.string().size());
    };
    EXPECT_EQ(fault("").substr(0, 31), " cannot be used: not valid JSON");
    EXPECT_EQ(fault("[]"), " cannot be used: expected an object, got an array");
    EXPECT_EQ(fault(R"({"include":"/a"})"), " cannot be used: include: expected an array, got a string");
    EXPECT_EQ(fault(R"({"restic":{"repository":5}})"),
              " cannot be used: restic.repository: expected a string, got a number");
    EXPECT_EQ(fault("{}"), " cannot be used: it names neither a server nor a repository");
    EXPECT_EQ(fault(R"({"server_url":"https://cp"})"), " cannot be used: it names a server but no device key");
    EXPECT_EQ(fault(R"({"server_url":"https://cp","device_api_key":"k"})"),
              " cannot be used: it names a server but no device key");
    EXPECT_EQ(fault(R"({"restic":{"repository":"/r"},"include":["a"]})"),
              " cannot be used: include[0] must be an absolute path, not \"a\"");
    EXPECT_EQ(fault(R"({"restic":{"repository":"/r"},"exclude":["a\nb"]})"),
              " cannot be used: exclude[0] contains a NUL or a line break");
    EXPECT_EQ(fault(R"({"format":2,"restic":{"repository":"/r"}})"),
              " cannot be used: it was written by a newer agent (format 2)");
}

TEST_F(config_file, its_secrets_are_never_shown)
{
    m.write("/p", "the-password\r\n");
    ASSERT_TRUE(load(R"({"server_url":"https://cp","device_id":"d","device_api_key":"xdk_key",)"
                     R"("restic":{"repository":"rest:https://u:cred%21ential@h/","password_file":"/p"}})"));
    EXPECT_EQ(m.env.secrets->clean("the-password, xdk_key, cred!ential, https://u:cred%21ential@h/"),
              "***, ***, ***, https://u:***@h/");
}

TEST_F(config_file, the_secrets_of_one_that_cannot_be_used_neither)
{
    EXPECT_FALSE(load(R"({"format":2,"server_url":"https://cp","device_id":"d","device_api_key":"xdk_key"})"));
    EXPECT_EQ(m.env.secrets->clean("xdk_key"), "***");
}

// ---- state files

TEST(state, comes_back)
{
    machine m;
    m.enrol();
    EXPECT_FALSE(m.state());
    job_state s;
    s.job = domain::job::restore;
    s.status = domain::run_status::partial;
    s.outcome = "interrupted";
    s.started_at = m.clock.now();
    s.finished_at = m.clock.now() + std::chrono::seconds{3};
    s.duration_ms = 3000;
    s.metrics.files_restored = 7;
    s.fault = domain::run_fault{"restore-incomplete", "m", "r", true};
    s.warnings = {"one", "two"};
    s.config_version = "v1";
    s.config_source = "cache";
    s.report_id = "rep_1";
    s.last_good = good_run{m.clock.now(), domain::run_status::success, "abc"};
    s.repository = "rest:https://h/";
    ASSERT_TRUE(save_state(m.env.files, m.env.home, s));
    EXPECT_EQ(m.names_in(m.env.home.folder / "state"), std::vector<std::string>{"restore.json"});
    EXPECT_EQ(wire::encode(*m.state(domain::job::restore)), wire::encode(s));
}

TEST(state, a_damaged_one_counts_as_none)
{
    machine m;
    m.enrol();
    for (const auto* text : {"", "{", "null", "{}", R"({"format":1,"job":"backup"})"}) {
        m.write(m.env.home.state("backup"), text);
        m.write(m.env.home.running(), text);
        EXPECT_FALSE(m.state()) << text;
        EXPECT_FALSE(load_marker(m.env.files, m.env.home)) << text;
    }
    EXPECT_TRUE(m.backup());
}

TEST(state, the_marker_goes)
{
    machine m;
    m.enrol();
    ASSERT_TRUE(
        save_marker(m.env.files, m.env.home, {.job = domain::job::retention, .report_id = "rep_1", .process_id = 9}));
    EXPECT_EQ(load_marker(m.env.files, m.env.home)->report_id, "rep_1");
    ASSERT_TRUE(remove_marker(m.env.files, m.env.home));
    EXPECT_FALSE(load_marker(m.env.files, m.env.home));
    EXPECT_TRUE(remove_marker(m.env.files, m.env.home)); // none is no error
}

} // namespace
} // namespace xentz::agent
