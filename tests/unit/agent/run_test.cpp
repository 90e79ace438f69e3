#include "agent/job_run.hpp"
#include "machine.hpp"
#include "os/lock.hpp"
#include "support/golden.hpp"

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;

TEST_F(running, a_good_backup_is_recorded_and_reported)
{
    m.restic.on_call = [&](std::string_view call) {
        if (call == "backup") m.clock.advance(90s);
    };
    const auto r = m.backup();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_FALSE(r->fault);
    EXPECT_EQ(r->reports_pending, 0U);
    EXPECT_EQ(r->state.status, domain::run_status::success);
    EXPECT_EQ(r->state.duration_ms, 90'000);
    EXPECT_EQ(r->state.finished_at - r->state.started_at, 90s);
    EXPECT_TRUE(r->state.warnings.empty());
    EXPECT_EQ(r->state.last_good->snapshot_id, "5b57749a" + std::string(56, '0'));
    EXPECT_EQ(r->state.config_source, "server");

    ASSERT_EQ(m.restic.opened.size(), 1U);
    EXPECT_EQ(m.restic.opened[0].address, m.server.config.restic.repository);
    EXPECT_EQ(m.restic.opened[0].password_file, m.env.home.password());
    EXPECT_EQ(m.restic.calls, (std::vector<std::string>{"repository_id", "backup"}));
    EXPECT_EQ(m.restic.backups[0].include, std::vector<std::string>{"/srv"});

    ASSERT_EQ(m.server.reports.size(), 1U);
    const auto& sent = last_report();
    EXPECT_EQ(sent.report_id, r->state.report_id);
    EXPECT_EQ(sent.device_id, "dev_1");
    EXPECT_EQ(sent.job, domain::job::backup);
    EXPECT_EQ(sent.status, domain::run_status::success);
    EXPECT_EQ(sent.metrics->bytes_total, 12712U);
    EXPECT_EQ(sent.duration_ms, 90'000);
    EXPECT_EQ(sent.config_version, "v1");
    EXPECT_EQ(sent.agent_version, "0.1.0");
    EXPECT_EQ(sent.restic_version, "0.18.0");
    EXPECT_EQ(sent.engine, "fake");
    EXPECT_FALSE(sent.error);
    EXPECT_FALSE(sent.fault);
    EXPECT_FALSE(m.exists(m.env.home.running()));
    EXPECT_TRUE(m.spooled().empty());
    test::expect_golden("agent/state.backup.json", m.read(m.env.home.state("backup")));
}

TEST_F(running, what_survives_a_kill_is_there_before_what_needs_it)
{
    std::vector<std::string> seen;
    m.restic.on_call = [&](std::string_view call) {
        if (call != "backup") return;
        seen.emplace_back("work");
        test::expect_golden("agent/running.json", m.read(m.env.home.running()));
        EXPECT_FALSE(m.exists(m.env.home.state("backup")));
        EXPECT_TRUE(m.spooled().empty());
        EXPECT_EQ(m.network.requests_to("/v1/config").size(), 1U);
    };
    m.server.on_report = [&](const wire::report_message& r) -> std::optional<fakes::http_answer> {
        seen.emplace_back("report");
        EXPECT_EQ(m.state()->report_id, r.report_id);
        EXPECT_EQ(m.spooled().size(), 1U);
        EXPECT_FALSE(m.exists(m.env.home.running()));
        return std::nullopt;
    };
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(seen, (std::vector<std::string>{"work", "report"}));
}

TEST_F(running, one_at_a_time)
{
    const auto other = os::try_lock(m.env.home.lock(), "backup, process 1, since yesterday");
    ASSERT_TRUE(other);
    const auto before = m.memory.tree();
    const auto r = m.backup();
    EXPECT_EQ(code_of(r), "run-locked");
    EXPECT_NE(r.error().message.find("backup, process 1, since yesterday"), std::string::npos);
    EXPECT_EQ(m.memory.tree(), before);
    EXPECT_TRUE(m.network.requests.empty());
    EXPECT_TRUE(m.restic.calls.empty());
}

TEST_F(running, holds_the_lock_under_its_name)
{
    m.restic.on_call = [&](std::string_view) {
        const auto second = os::try_lock(m.env.home.lock(), "x");
        EXPECT_EQ(code_of(second), "run-locked");
        EXPECT_NE(second.error().message.find("backup, process 4711, since 2026-11-23T18:31:05Z"), std::string::npos);
    };
    ASSERT_TRUE(m.backup());
    EXPECT_TRUE(os::try_lock(m.env.home.lock(), "x"));
}

TEST_F(running, the_machine_stays_awake_as_long_as_it_runs)
{
    struct noted final : os::wakefulness {
        std::vector<std::string>& log;
        explicit noted(std::vector<std::string>& l) : log(l) {}
        ~noted() override { log.emplace_back("may sleep"); }
        noted(const noted&) = delete;
        noted& operator=(const noted&) = delete;
        bool granted() const override { return true; }
    };
    std::vector<std::string> order;
    m.env.keep_awake = [&](const std::string& why) {
        order.push_back("awake for " + why);
        return std::make_unique<noted>(order);
    };
    m.restic.on_call = [&](std::string_view call) { order.emplace_back(call); };
    ASSERT_TRUE(m.backup());
    ASSERT_GE(order.size(), 3U);
    EXPECT_EQ(order.front(), "awake for backup");
    EXPECT_EQ(order[order.size() - 2], "backup");
    EXPECT_EQ(order.back(), "may sleep");
}

TEST(not_enrolled, nothing_is_made)
{
    machine m;
    EXPECT_EQ(code_of(m.backup()), "config-missing");
    EXPECT_TRUE(m.memory.tree().empty());
    EXPECT_FALSE(std::filesystem::exists(m.env.home.lock()));
}

TEST_F(running, a_failure_is_recorded_and_reported_and_the_last_good_run_kept)
{
    ASSERT_TRUE(m.backup());
    const auto good = m.state()->finished_at;
    m.clock.advance(24h);
    m.restic.backup_result = base::fail(fault_code::repository_locked, "it is locked", "Wait");
    const auto r = m.backup();
    ASSERT_TRUE(r);
    EXPECT_EQ(fault_of(r), "repository-locked");
    const auto s = *m.state();
    EXPECT_EQ(s.status, domain::run_status::failure);
    EXPECT_FALSE(s.outcome);
    EXPECT_EQ(s.fault, (domain::run_fault{"repository-locked", "it is locked", "Wait", true}));
    EXPECT_EQ(s.last_good->finished_at, good);
    EXPECT_EQ(s.repository, "rest:https://repo.example.com/repo/ten_1/dev_1/default/");
    EXPECT_EQ(last_report().status, domain::run_status::failure);
    EXPECT_EQ(last_report().error, "it is locked");
    EXPECT_EQ(last_report().fault, s.fault);
}

TEST_F(running, an_incomplete_backup_is_partial_and_says_what_is_missing)
{
    auto& made = *m.restic.backup_result;
    made.status = domain::run_status::partial;
    made.missing_sources = {"/gone"};
    made.unreadable = {{"/srv/secret", "permission denied"}};
    made.unreadable_count = 1;
    const auto r = m.backup();
    ASSERT_TRUE(r);
    EXPECT_EQ(fault_of(r), "source-unreadable");
    EXPECT_EQ(message_of(r), "a snapshot was made, but 2 files or folders are not in it: /gone: does not exist; "
                             "/srv/secret: permission denied");
    EXPECT_EQ(r->state.status, domain::run_status::partial);
    EXPECT_EQ(r->state.metrics.files_unreadable, 1U);
    EXPECT_EQ(r->state.last_good->status, domain::run_status::partial);
    EXPECT_EQ(last_report().status, domain::run_status::partial);
    EXPECT_EQ(last_report().error, message_of(r));
}

TEST_F(running, only_a_folder_that_is_gone_makes_it_partial_too)
{
    auto& made = *m.restic.backup_result;
    made.status = domain::run_status::partial;
    made.missing_sources = {"/gone"};
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "source-missing");
    EXPECT_EQ(message_of(r), "a snapshot was made, but 1 file or folder is not in it: /gone: does not exist");
    EXPECT_FALSE(r->state.metrics.files_unreadable);
}

TEST_F(running, of_many_missing_files_twenty_are_listed)
{
    auto& made = *m.restic.backup_result;
    made.status = domain::run_status::partial;
    for (int i = 0; i < 25; ++i) made.missing_sources.push_back("/gone" + std::to_string(i));
    for (int i = 0; i < 100; ++i) made.unreadable.push_back({"/locked" + std::to_string(i), "no"});
    made.unreadable_count = 5000;
    const auto r = m.backup();
    EXPECT_TRUE(message_of(r).starts_with("a snapshot was made, but 5025 files or folders are not in it: /gone0"));
    EXPECT_NE(message_of(r).find("/gone19"), std::string::npos);
    EXPECT_EQ(message_of(r).find("/gone20"), std::string::npos);
    EXPECT_EQ(message_of(r).find("/locked"), std::string::npos);
}

TEST_F(running, a_long_error_is_cut_between_characters)
{
    std::string text(4095, 'x');
    m.restic.backup_result = base::fail(fault_code::restic_failed, text + "äöü");
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(last_report().error, text);
    EXPECT_EQ(last_report().fault->message, text);
    EXPECT_EQ(m.state()->fault->message, text + "äöü");
}

TEST_F(running, folders_that_are_all_gone_are_named)
{
    m.restic.backup_result = base::fail(fault_code::source_missing, "none of the folders exists");
    m.server.config.include = {"/srv", "/opt"};
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "source-missing");
    EXPECT_EQ(r->state.fault->message, "none of the folders exists: /srv, /opt");
}

TEST_F(running, a_config_without_a_host_is_given_one_that_stays)
{
    auto c = m.enrolled_config();
    c.host.clear();
    m.set_up(c);
    ASSERT_TRUE(m.backup());
    m.env.host_name = "renamed";
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(m.restic.backups[0].scope.host, "web1");
    EXPECT_EQ(m.restic.backups[1].scope.host, "web1");
    EXPECT_EQ(load_local_config(m.env.files, m.env.home.config, *m.env.secrets)->host, "web1");
}

TEST_F(running, a_config_without_a_host_that_cannot_be_written_stops_nothing)
{
    auto c = m.enrolled_config();
    c.host.clear();
    m.set_up(c);
    const auto before = m.read(m.env.home.config);
    m.memory.write_protect(m.env.home.config);
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_EQ(m.restic.backups[0].scope.host, "web1");
    EXPECT_EQ(m.read(m.env.home.config), before);
}

TEST_F(running, a_snapshot_that_holds_nothing_is_told)
{
    m.restic.backup_result->metrics.files_total = 0;
    m.server.config.exclude = {"/srv"};
    const auto r = m.backup();
    EXPECT_EQ(r->state.warnings, (std::vector<std::string>{"the snapshot holds no file: check include and exclude",
                                                           "nothing of /srv is backed up: it is excluded by /srv"}));
}

TEST_F(running, no_secret_is_stored_or_sent)
{
    m.restic.backup_result =
        base::fail(fault_code::restic_failed,
                   "cannot open rest:https://dev_1:credential-1@repo.example.com with repository-password",
                   "Look at xdk_device-key-1");
    const auto r = m.backup();
    ASSERT_TRUE(r);
    for (const auto& text : {m.read(m.env.home.state("backup")), wire::encode(last_report())})
        for (const auto* secret : {"credential-1", "repository-password", "xdk_device-key-1"})
            EXPECT_EQ(text.find(secret), std::string::npos) << text;
}

TEST_F(running, an_interrupted_run_says_so_and_is_still_reported)
{
    std::stop_source stop;
    m.restic.on_call = [&](std::string_view) { stop.request_stop(); };
    m.restic.backup_result = base::fail(fault_code::interrupted, "interrupted");
    const auto r = run_job(m.env, domain::job::backup, backup_work({}, {}), stop.get_token());
    ASSERT_TRUE(r);
    EXPECT_EQ(fault_of(r), "interrupted");
    EXPECT_EQ(m.state()->outcome, "interrupted");
    EXPECT_EQ(last_report().outcome, "interrupted");
}

TEST_F(running, a_clock_that_jumps_back_does_not_end_a_run_before_it_began)
{
    m.restic.on_call = [&](std::string_view call) {
        if (call != "backup") return;
        m.clock.time -= 1h;
        m.clock.since_start += 5s;
    };
    const auto r = m.backup();
    EXPECT_EQ(r->state.finished_at, r->state.started_at);
    EXPECT_EQ(r->state.duration_ms, 5000);
}

// ---- the control plane

TEST_F(running, without_the_control_plane_the_cached_config_is_used_and_the_report_waits)
{
    ASSERT_TRUE(m.backup());
    m.server.how = plane::away;
    m.clock.advance(24h);
    const auto r = m.backup();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_FALSE(r->fault);
    EXPECT_EQ(r->state.status, domain::run_status::success);
    EXPECT_EQ(r->state.config_source, "cache");
    EXPECT_EQ(r->state.warnings,
              std::vector<std::string>{"ran with the config of 2026-11-23T18:31:05Z: no connection to host:1"});
    EXPECT_EQ(r->reports_pending, 1U);
    EXPECT_EQ(m.spooled(), std::vector<std::string>{"20261124T183105.000000Z-backup-success.json"});
    m.server.how = plane::up;
    m.clock.advance(24h);
    EXPECT_EQ(m.backup()->reports_pending, 0U);
    EXPECT_EQ(m.server.reports.size(), 3U);
}

TEST_F(running, what_waits_is_sent_before_the_work_and_its_own_report_at_the_end)
{
    spool waiting{m.env};
    for (int i = 0; i < 25; ++i) {
        wire::report_message old;
        old.device_id = "dev_1";
        old.report_id = "old" + std::to_string(i);
        old.finished_at = m.clock.now() - 24h + std::chrono::minutes{i};
        ASSERT_TRUE(waiting.add(old));
    }
    std::size_t before_the_work = 0;
    m.restic.on_call = [&](std::string_view) { before_the_work = m.server.reports.size(); };
    const auto r = m.backup();
    EXPECT_EQ(before_the_work, 20U);
    EXPECT_EQ(m.server.reports.size(), 21U);
    EXPECT_EQ(last_report().report_id, r->state.report_id);
    EXPECT_EQ(r->reports_pending, 5U);
}

TEST_F(running, what_waits_is_not_tried_where_the_network_is_away)
{
    ASSERT_TRUE(m.backup());
    m.server.how = plane::away;
    ASSERT_TRUE(m.backup());
    m.network.requests.clear();
    std::size_t before_the_work = 0;
    m.restic.on_call = [&](std::string_view) { before_the_work = m.network.requests_to("/v1/report").size(); };
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(before_the_work, 0U);
}

TEST_F(running, reports_that_clean_up_removed_are_counted)
{
    m.write(m.env.home.spool() / "20260101T000000.000000Z-backup-success.json", "{}");
    m.server.how = plane::away;
    m.server.clock_headers = {{"Date", "Mon, 23 Nov 2026 18:31:05 GMT"}};
    m.write(m.env.home.cached_config(),
            wire::encode(cached_config{.fetched_at = m.clock.now(), .config = wire::encode_config(m.server.config)}));
    const auto r = m.backup();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->state.metrics.reports_dropped, 1U);
    EXPECT_EQ(wire::decode_report(m.read(m.env.home.spool() / m.spooled().front()))->metrics->reports_dropped, 1U);
}

TEST_F(running, without_any_config_the_failure_is_recorded)
{
    m.server.how = plane::away;
    const auto r = m.backup();
    ASSERT_TRUE(r);
    EXPECT_EQ(fault_of(r), "config-missing");
    EXPECT_EQ(m.state()->fault->code, "config-missing");
    EXPECT_EQ(m.spooled().size(), 1U);
    EXPECT_TRUE(m.restic.calls.empty());
}

TEST_F(running, a_disabled_device_does_nothing_and_records_nothing)
{
    ASSERT_TRUE(m.backup());
    const auto before = m.read(m.env.home.state("backup"));
    m.server.config.enabled = false;
    m.server.etag = "\"v2\"";
    m.restic.calls.clear();
    for (const auto how : {plane::up, plane::away, plane::refuses}) {
        m.server.how = how;
        EXPECT_EQ(code_of(m.backup()), "disabled");
        EXPECT_EQ(code_of(m.retention()), "disabled");
    }
    EXPECT_TRUE(m.restic.calls.empty());
    EXPECT_EQ(m.read(m.env.home.state("backup")), before);
    EXPECT_FALSE(m.exists(m.env.home.running()));
    EXPECT_TRUE(m.spooled().empty());
    m.server.how = plane::up;
    m.server.config.enabled = true;
    m.server.etag = "\"v3\"";
    EXPECT_EQ(code_of(m.backup()), "done");
}

TEST_F(running, a_revoked_device_does_nothing_even_offline)
{
    ASSERT_TRUE(m.backup());
    m.restic.calls.clear();
    for (const auto how : {plane::revokes, plane::away, plane::fails}) {
        m.server.how = how;
        EXPECT_EQ(code_of(m.backup()), "device-revoked");
        EXPECT_EQ(code_of(m.retention()), "device-revoked");
    }
    EXPECT_TRUE(m.restic.calls.empty());
    EXPECT_EQ(m.state()->status, domain::run_status::success);
    EXPECT_FALSE(m.exists(m.env.home.state("retention")));
}

} // namespace
} // namespace xentz::agent
