#include "agent/restore.hpp"
#include "machine.hpp"

namespace xentz::agent {
namespace {

TEST_F(running, a_missing_repository_is_made_once)
{
    m.server.repository_status = 404;
    m.restic.on_call = [&](std::string_view call) {
        if (call == "init") m.server.repository_status = 200;
    };
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(m.restic.calls, (std::vector<std::string>{"init", "repository_id", "backup"}));
}

TEST_F(running, a_repository_that_somebody_made_meanwhile_is_used)
{
    m.server.repository_status = 404;
    m.restic.init_result = base::fail(fault_code::repository_exists, "there");
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_TRUE(m.restic.called("backup"));
}

TEST_F(running, a_repository_that_cannot_be_made_fails_the_run)
{
    m.server.repository_status = 404;
    m.restic.init_result = base::fail(fault_code::repository_full, "full");
    EXPECT_EQ(fault_of(m.backup()), "repository-full");
    EXPECT_FALSE(m.restic.called("backup"));
}

TEST_F(running, a_repository_that_vanished_is_never_made_again)
{
    ASSERT_TRUE(m.backup());
    m.restic.calls.clear();
    m.server.repository_status = 404;
    for (int i = 0; i < 2; ++i) { // the failure in between changes nothing
        const auto r = m.backup();
        ASSERT_TRUE(r);
        EXPECT_EQ(fault_of(r), "repository-changed");
        EXPECT_NE(message_of(r).find("2026-11-23T18:31:05Z"), std::string::npos);
    }
    EXPECT_TRUE(m.restic.calls.empty());
}

TEST_F(running, another_address_without_a_repository_is_refused_until_a_person_accepts_it)
{
    ASSERT_TRUE(m.backup());
    m.restic.calls.clear();
    m.server.repository_status = 404;
    m.server.config.restic.repository = "rest:https://dev_1:c2@other.example.com/repo/";
    m.server.etag = "\"v2\"";
    const auto refused = m.backup();
    EXPECT_EQ(fault_of(refused), "repository-changed");
    EXPECT_NE(remedy_of(refused).find("--accept-repository"), std::string::npos);
    EXPECT_TRUE(m.restic.calls.empty());
    m.restic.on_call = [&](std::string_view call) {
        if (call == "init") m.server.repository_status = 200;
    };
    const auto accepted = run_job(m.env, domain::job::backup, backup_work({.accept_repository = true}, {}), {});
    EXPECT_EQ(fault_of(accepted), "none");
    EXPECT_TRUE(m.restic.called("init"));
    EXPECT_EQ(fault_of(m.backup()), "none"); // that one is pinned now
}

TEST_F(running, another_credential_is_not_another_repository)
{
    ASSERT_TRUE(m.backup());
    m.server.repository_status = 404;
    m.server.config.restic.repository = "rest:https://dev_1:rotated@repo.example.com/repo/ten_1/dev_1/default/";
    m.server.etag = "\"v2\"";
    EXPECT_EQ(fault_of(m.backup()), "repository-changed");
}

TEST_F(running, nothing_is_made_where_it_is_not_certain_that_there_is_none)
{
    for (const auto status : {0, 401, 403, 500, 503}) {
        m.server.repository_status = status;
        EXPECT_TRUE(m.backup()->fault) << status;
    }
    EXPECT_TRUE(m.restic.calls.empty());
}

TEST_F(running, without_its_password_nothing_is_tried)
{
    for (const bool there : {true, false}) {
        m.write(m.env.home.password(), "");
        EXPECT_TRUE(there || m.memory.remove(m.env.home.password()));
        const auto r = m.backup();
        ASSERT_TRUE(r);
        EXPECT_EQ(fault_of(r), "password-missing");
        EXPECT_NE(message_of(r).find(m.env.home.password().string()), std::string::npos);
    }
    EXPECT_TRUE(m.restic.opened.empty());
}

TEST_F(running, restics_options_come_from_the_config)
{
    auto c = m.enrolled_config();
    c.ca_file = "/etc/ca.pem";
    m.set_up(c);
    m.server.config.restic.compression = "max";
    m.server.config.restic.limit_upload_kib = 100;
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(m.restic.opened[0].ca_file, "/etc/ca.pem");
    EXPECT_EQ(m.restic.opened[0].options, (domain::restic_options{.compression = "max", .limit_upload_kib = 100}));
    EXPECT_EQ(m.network.options[0].ca_file, "/etc/ca.pem");
}

// ---- without a control plane

struct legacy_running : testing::Test {
    machine m;
    legacy_running() { m.set_up(m.legacy_config()); }
};

TEST_F(legacy_running, a_backup_needs_no_network_and_makes_no_report)
{
    const auto r = m.backup();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_FALSE(r->fault);
    EXPECT_EQ(m.restic.calls, (std::vector<std::string>{"repository_id", "backup"}));
    EXPECT_EQ(m.state()->config_source, "local");
    EXPECT_EQ(m.state()->repository, "/mnt/disk/repository");
    EXPECT_TRUE(m.network.requests.empty());
    EXPECT_TRUE(m.spooled().empty());
    EXPECT_FALSE(m.exists(m.env.home.running()));
}

TEST_F(legacy_running, a_missing_repository_is_made_only_when_asked_to)
{
    m.restic.repository_id_result = base::fail(fault_code::repository_missing, "none");
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "repository-missing");
    EXPECT_NE(remedy_of(r).find("--auto-init"), std::string::npos);
    EXPECT_FALSE(m.restic.called("init"));
    m.restic.on_call = [&](std::string_view call) {
        if (call == "init") m.restic.repository_id_result = std::string(64, 'a');
    };
    const auto made = run_job(m.env, domain::job::backup, backup_work({.auto_init = true}, {}), {});
    EXPECT_EQ(fault_of(made), "none") << message_of(made);
    EXPECT_TRUE(m.restic.called("init"));
}

TEST_F(legacy_running, it_can_be_switched_off)
{
    auto c = m.legacy_config();
    c.enabled = false;
    m.set_up(c);
    EXPECT_EQ(code_of(m.backup()), "disabled");
}

TEST_F(legacy_running, retention_that_would_keep_nothing_never_runs)
{
    auto c = m.legacy_config();
    c.retention = {};
    m.set_up(c);
    EXPECT_EQ(fault_of(m.retention()), "retention-empty");
    EXPECT_TRUE(m.restic.calls.empty());
}

// ---- retention

TEST_F(running, retention_applies_the_policy_to_this_machines_snapshots)
{
    m.restic.apply_result->bytes_freed = 1000;
    const auto r = m.retention();
    ASSERT_TRUE(r);
    EXPECT_FALSE(r->fault);
    ASSERT_EQ(m.restic.retentions.size(), 1U);
    EXPECT_EQ(m.restic.retentions[0], (domain::retention{.keep_daily = 7}));
    EXPECT_EQ(m.restic.scopes[0].host, "web1");
    EXPECT_EQ(m.restic.scopes[0].tag, "xentz");
    EXPECT_EQ(last_report().job, domain::job::retention);
    EXPECT_EQ(last_report().metrics,
              (domain::metrics{.snapshots_kept = 3, .snapshots_removed = 1, .bytes_freed = 1000}));
    EXPECT_TRUE(m.state(domain::job::retention));
    EXPECT_FALSE(m.state(domain::job::backup));
}

TEST_F(running, a_preview_of_retention_removes_and_records_nothing)
{
    const auto preview = preview_retention(m.env, {});
    ASSERT_TRUE(preview) << preview.error().message;
    EXPECT_EQ(preview->removed, 1U);
    EXPECT_EQ(m.restic.calls, std::vector<std::string>{"preview"});
    EXPECT_EQ(m.restic.scopes[0].host, "web1");
    EXPECT_EQ(m.restic.scopes[0].tag, "xentz");
    EXPECT_FALSE(m.exists(m.env.home.state("retention")));
    EXPECT_TRUE(m.server.reports.empty());
    m.server.how = plane::refuses;
    EXPECT_EQ(code_of(preview_retention(m.env, {})), "server-refused");
}

TEST_F(running, retention_makes_no_repository)
{
    m.server.repository_status = 404;
    EXPECT_EQ(fault_of(m.retention()), "repository-missing");
    EXPECT_TRUE(m.restic.calls.empty());
}

TEST_F(running, retention_runs_by_the_cached_policy_only_where_the_server_is_away)
{
    ASSERT_TRUE(m.backup());
    m.server.how = plane::refuses;
    EXPECT_EQ(fault_of(m.retention()), "server-refused");
    EXPECT_FALSE(m.restic.called("apply"));
    EXPECT_EQ(fault_of(m.backup()), "none"); // a backup goes on
    m.server.how = plane::up;
    m.server.etag = "\"v2\"";
    m.server.config.retention = {};
    EXPECT_EQ(fault_of(m.retention()), "server-refused");
    EXPECT_FALSE(m.restic.called("apply"));
    m.server.how = plane::away;
    EXPECT_EQ(fault_of(m.retention()), "none");
    EXPECT_TRUE(m.restic.called("apply"));
}

} // namespace
} // namespace xentz::agent
