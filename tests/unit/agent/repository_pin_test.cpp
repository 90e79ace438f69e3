#include "agent/repository_pin.hpp"
#include "machine.hpp"
#include "os/lock.hpp"
#include "support/golden.hpp"

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;

TEST_F(running, the_first_run_pins_the_repository_and_later_ones_ask_restic_nothing)
{
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(m.restic.calls, (std::vector<std::string>{"repository_id", "backup"}));
    const auto pin = load_pin(m.env.files, m.env.home);
    ASSERT_TRUE(pin && *pin);
    EXPECT_EQ((*pin)->id, std::string(64, 'a'));
    EXPECT_EQ((*pin)->address, "rest:https://repo.example.com/repo/ten_1/dev_1/default/");
    EXPECT_EQ((*pin)->machine_id, "machine-1");
    test::expect_golden("agent/repository.json", m.read(m.env.home.repository_pin()));
    m.restic.calls.clear();
    ASSERT_TRUE(m.backup());
    ASSERT_TRUE(m.retention());
    EXPECT_EQ(m.restic.calls, (std::vector<std::string>{"backup", "apply"}));
}

TEST_F(running, a_repository_that_became_another_one_is_refused)
{
    ASSERT_TRUE(m.backup());
    m.restic.calls.clear();
    m.server.repository_config = "config-2";
    m.restic.repository_id_result = std::string(64, 'b');
    for (const auto& r : {m.backup(), m.retention()}) {
        EXPECT_EQ(fault_of(r), "repository-changed");
        EXPECT_NE(message_of(r).find("bbbbbbbb"), std::string::npos);
        EXPECT_NE(message_of(r).find("aaaaaaaa"), std::string::npos);
    }
    EXPECT_FALSE(m.restic.called("backup"));
    EXPECT_FALSE(m.restic.called("apply"));
}

TEST_F(running, the_same_repository_with_another_config_is_pinned_anew)
{
    ASSERT_TRUE(m.backup());
    m.server.repository_config = "config-migrated";
    EXPECT_EQ(fault_of(m.backup()), "none");
    m.restic.calls.clear();
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_EQ(m.restic.calls, std::vector<std::string>{"backup"});
}

TEST_F(running, a_damaged_pin_is_not_taken_for_none)
{
    ASSERT_TRUE(m.backup());
    m.write(m.env.home.repository_pin(), "{ damaged");
    m.server.repository_status = 404;
    EXPECT_EQ(fault_of(m.backup()), "config-invalid");
    EXPECT_FALSE(m.restic.called("init"));
    EXPECT_EQ(fault_of(run_job(m.env, domain::job::backup, backup_work({.accept_repository = true}, {}), {})), "none");
}

TEST_F(running, a_repository_that_does_not_open_is_not_pinned)
{
    m.restic.repository_id_result = base::fail(fault_code::wrong_password, "no");
    EXPECT_EQ(fault_of(m.backup()), "wrong-password");
    EXPECT_FALSE(m.exists(m.env.home.repository_pin()));
}

// ---- is the snapshot really there?

TEST_F(running, a_snapshot_is_confirmed_by_the_server_and_its_id_completed)
{
    const auto r = m.backup();
    ASSERT_TRUE(r);
    EXPECT_EQ(r->state.metrics.snapshot_id, "5b57749a" + std::string(56, '0'));
    const auto asked = m.network.requests_to("/snapshots/");
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].basic->password, "credential-1");
}

TEST_F(running, a_snapshot_that_the_server_does_not_list_is_no_success)
{
    m.server.snapshots = {std::string(64, '7')};
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "snapshot-unconfirmed");
    EXPECT_EQ(r->state.status, domain::run_status::failure);
    EXPECT_FALSE(r->state.last_good);
    EXPECT_EQ(r->state.metrics.files_total, 2U);
    EXPECT_EQ(last_report().status, domain::run_status::failure);
}

TEST_F(running, a_server_that_went_away_after_the_backup_leaves_it_unconfirmed)
{
    ASSERT_TRUE(m.backup());
    m.restic.on_call = [&](std::string_view call) {
        if (call == "backup") m.server.repository_status = 0;
    };
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "snapshot-unconfirmed");
    EXPECT_TRUE(r->state.last_good) << "the earlier one stays the last good one";
}

// ---- a snapshot that is much smaller

TEST_F(running, a_snapshot_of_half_the_size_is_a_warning)
{
    m.restic.backup_result->metrics.bytes_total = 10'000;
    ASSERT_TRUE(m.backup());
    m.restic.backup_result->metrics.bytes_total = 5'001;
    EXPECT_TRUE(m.backup()->state.warnings.empty());
    m.restic.backup_result->metrics.bytes_total = 2'000;
    const auto shrunk = m.backup();
    ASSERT_EQ(shrunk->state.warnings.size(), 1U);
    EXPECT_NE(shrunk->state.warnings[0].find("the last one held"), std::string::npos);
}

// ---- clocks

TEST_F(running, with_a_wrong_clock_there_is_no_retention_but_a_backup)
{
    for (const auto* date : {"Mon, 23 Nov 2026 18:37:00 GMT", "Mon, 23 Nov 2026 18:25:00 GMT"}) {
        m.server.clock_headers = {{"Date", date}};
        const auto r = m.retention();
        EXPECT_EQ(fault_of(r), "clock-wrong") << date;
        const auto backup = m.backup();
        EXPECT_EQ(fault_of(backup), "none");
        ASSERT_EQ(backup->state.warnings.size(), 1U);
        EXPECT_NE(backup->state.warnings[0].find("this machine's clock is"), std::string::npos);
    }
    EXPECT_FALSE(m.restic.called("apply"));
    m.server.clock_headers = {{"Date", "Mon, 23 Nov 2026 18:35:00 GMT"}};
    EXPECT_EQ(fault_of(m.retention()), "none");
}

TEST_F(running, while_the_control_plane_is_away_the_repositorys_clock_counts)
{
    ASSERT_TRUE(m.backup());
    m.server.how = plane::away;
    m.server.clock_headers = {{"Date", "Mon, 23 Nov 2026 12:00:00 GMT"}};
    EXPECT_EQ(fault_of(m.retention()), "clock-wrong");
    EXPECT_FALSE(m.restic.called("apply"));
}

// ---- what the server protects

TEST_F(running, retention_leaves_an_append_only_repository_alone)
{
    m.server.config.restic.protection = "append-only";
    const auto r = m.retention();
    ASSERT_TRUE(r);
    EXPECT_EQ(fault_of(r), "none");
    EXPECT_EQ(r->state.outcome, "skipped");
    EXPECT_TRUE(m.restic.calls.empty());
    EXPECT_EQ(last_report().outcome, "skipped");
}

// ---- a config that was refused

TEST_F(running, a_config_that_was_refused_is_reported_with_the_reason)
{
    ASSERT_TRUE(m.backup());
    m.server.etag = "\"v2\"";
    m.server.config.requires_features = std::vector<std::string>{"teleport"};
    const auto r = m.backup();
    ASSERT_TRUE(r);
    EXPECT_EQ(fault_of(r), "none");
    EXPECT_EQ(last_report().outcome, "config-refused");
    EXPECT_EQ(last_report().config_version, "v1");
    EXPECT_EQ(last_report().unsupported, std::vector<std::string>{"teleport"});
    EXPECT_NE(last_report().details->warnings->at(0).find("teleport"), std::string::npos);
}

TEST_F(running, what_the_machine_adds_to_its_policy_is_reported)
{
    auto c = m.enrolled_config();
    c.include = {"/home/local"};
    c.exclude = {"*.iso"};
    m.set_up(c);
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(last_report().details->local_include, c.include);
    EXPECT_EQ(last_report().details->local_exclude, c.exclude);
}

// ---- a spool that cannot be written

TEST_F(running, a_killed_run_that_cannot_be_recorded_keeps_the_next_one_from_hiding_it)
{
    const running_marker marker{.started_at = m.clock.now(), .report_id = "rep_killed", .process_id = 1};
    ASSERT_TRUE(save_marker(m.env.files, m.env.home, marker));
    for (std::uint64_t call = 1; call < 12; ++call) {
        m.memory.fail_at(call, fault_code::disk_full);
        static_cast<void>(m.backup());
    }
    m.memory.fail_at(0, fault_code::disk_full);
    ASSERT_TRUE(m.backup());
    const auto told =
        std::ranges::count_if(m.server.reports, [](const auto& r) { return r.report_id == "rep_killed"; });
    EXPECT_GE(told, 1);
}

// ---- the run lock

TEST_F(running, a_run_that_was_locked_out_by_an_orphaned_restic_says_so)
{
    const auto held = os::try_lock(m.env.home.lock(), "backup, process 99, since yesterday");
    ASSERT_TRUE(held);
    ASSERT_TRUE(save_marker(m.env.files, m.env.home, {.started_at = m.clock.now(), .process_id = 99}));
    const auto r = m.backup();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::run_locked);
    EXPECT_NE(r.error().message.find("still at work"), std::string::npos);
    m.processes.started[99] = m.clock.now();
    EXPECT_EQ(m.backup().error().message.find("still at work"), std::string::npos);
}

} // namespace
} // namespace xentz::agent
