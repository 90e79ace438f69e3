#include "agent/status.hpp"
#include "machine.hpp"
#include "support/golden.hpp"

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;

struct telling : testing::Test {
    machine m;

    void enrolled_with_config()
    {
        m.enrol();
        m.write(m.env.home.cached_config(),
                wire::encode(cached_config{.etag = "\"v1\"",
                                           .fetched_at = m.clock.now() - 3h - 5min,
                                           .config = wire::encode_config(m.server.config)}));
    }
    job_state run(domain::run_status status, std::chrono::seconds ago)
    {
        job_state s;
        s.status = status;
        s.finished_at = m.clock.now() - ago;
        s.started_at = s.finished_at - 75s;
        s.duration_ms = 75'000;
        s.report_id = "rep_1";
        return s;
    }
    job_state good_backup(std::chrono::seconds ago)
    {
        auto s = run(domain::run_status::success, ago);
        s.metrics = m.restic.backup_result->metrics;
        s.last_good = good_run{s.finished_at, s.status, "5b57749a"};
        return s;
    }
    void store(const job_state& s) { ASSERT_TRUE(save_state(m.env.files, m.env.home, s)); }
    status read() { return read_status(m.env); }
    void expect(const std::string& name)
    {
        test::expect_golden("agent/status." + name + ".txt", describe(read(), m.clock.now()));
        EXPECT_TRUE(m.network.requests.empty());
        EXPECT_TRUE(m.restic.calls.empty());
    }
};

TEST_F(telling, not_enrolled)
{
    expect("not_enrolled");
    const auto s = read();
    EXPECT_FALSE(s.enrolled);
    EXPECT_EQ(s.state, "not-enrolled");
    EXPECT_EQ(s.config.origin, "none");
    EXPECT_TRUE(m.memory.tree().empty());
}

TEST_F(telling, a_config_that_cannot_be_used)
{
    m.write(m.env.home.config, "{");
    const auto s = read();
    EXPECT_FALSE(s.enrolled);
    EXPECT_NE(s.verdict.find("config.json cannot be used: not valid JSON"), std::string::npos) << s.verdict;
    EXPECT_FALSE(s.remedy.empty());
}

TEST_F(telling, no_backup_yet)
{
    m.enrol();
    expect("no_backup");
    const auto s = read();
    EXPECT_TRUE(s.enrolled);
    EXPECT_EQ(s.state, "active");
    EXPECT_EQ(s.config.origin, "none");
    EXPECT_FALSE(s.config.fetched_at);
}

TEST_F(telling, a_good_one)
{
    enrolled_with_config();
    store(good_backup(2h));
    auto retention = run(domain::run_status::success, 30min);
    retention.job = domain::job::retention;
    retention.metrics = {.snapshots_kept = 14, .snapshots_removed = 1, .bytes_freed = 5'000'000};
    store(retention);
    auto restore = run(domain::run_status::success, 26h);
    restore.job = domain::job::restore;
    restore.metrics = {.snapshot_id = std::string(64, 'b'), .files_restored = 3, .bytes_restored = 2048};
    store(restore);
    expect("good");
    const auto s = read();
    EXPECT_EQ(s.state, "active");
    EXPECT_EQ(s.remedy, "");
    EXPECT_EQ(s.config.origin, "server");
    EXPECT_EQ(s.config.version, "v1");
    EXPECT_FALSE(s.running);
    EXPECT_TRUE(s.next_runs.empty());
}

TEST_F(telling, a_failed_one_with_a_good_one_before)
{
    enrolled_with_config();
    auto s = run(domain::run_status::failure, 1h);
    s.last_good = good_run{m.clock.now() - 25h, domain::run_status::success, "5b57749a"};
    s.fault = domain::run_fault{"repository-unreachable", "the repository cannot be reached: no connection to h:443",
                                "Check the network", true};
    s.warnings = {"ran with the config of 2026-11-22T18:31:05Z: no connection to h:443"};
    store(s);
    m.write(m.env.home.spool() / "20261123T173105.000000Z-backup-failure.json", "{}");
    expect("failed");
    EXPECT_EQ(read().reports_pending, 1U);
}

TEST_F(telling, a_failed_one_and_no_good_one_ever)
{
    enrolled_with_config();
    auto s = run(domain::run_status::failure, 1h);
    s.fault = domain::run_fault{"wrong-password", "the repository does not open with this password", "", false};
    store(s);
    EXPECT_EQ(read().verdict, "The last backup failed; there is no good one");
    EXPECT_EQ(read().remedy, "");
}

TEST_F(telling, an_interrupted_one)
{
    enrolled_with_config();
    auto s = run(domain::run_status::failure, 1h);
    s.outcome = "interrupted";
    s.fault = domain::run_fault{"interrupted", "the run ended without a result", "Nothing needs to be done", true};
    store(s);
    ASSERT_TRUE(save_marker(m.env.files, m.env.home, {}));
    expect("interrupted");
    EXPECT_TRUE(read().running);
}

TEST_F(telling, an_incomplete_one)
{
    enrolled_with_config();
    auto s = run(domain::run_status::partial, 90s);
    s.metrics = {.files_total = 10, .files_unreadable = 1, .bytes_total = 1024, .snapshot_id = "5b57749a"};
    s.fault =
        domain::run_fault{"source-unreadable", "a snapshot was made, but 1 file or folder is not in it: /srv/x: no",
                          "Give the agent the right to read them", false};
    s.last_good = good_run{s.finished_at, s.status, "5b57749a"};
    store(s);
    expect("partial");
}

TEST_F(telling, an_incomplete_one_names_what_is_missing)
{
    enrolled_with_config();
    auto s = run(domain::run_status::partial, 90s);
    s.metrics = {.files_total = 10, .files_unreadable = 25, .snapshot_id = "5b57749a"};
    for (int i = 0; i < 22; ++i) s.unreadable.push_back({"/srv/" + std::to_string(i), "permission denied"});
    s.fault = domain::run_fault{"source-unreadable", "a snapshot was made, but 25 files or folders are not in it: ...",
                                "Give the agent the right to read them", false};
    s.last_good = good_run{s.finished_at, s.status, "5b57749a"};
    store(s);
    expect("unreadable");
}

TEST_F(telling, what_will_trouble_later_backups)
{
    m.enrol();
    m.write(m.env.home.cached_config(), wire::encode(cached_config{.etag = "\"v1\"",
                                                                   .fetched_at = m.clock.now() - 9 * 24h,
                                                                   .config = wire::encode_config(m.server.config)}));
    store(good_backup(2h));
    auto retention = run(domain::run_status::failure, 20 * 24h);
    retention.job = domain::job::retention;
    retention.fault = domain::run_fault{"clock-wrong", "this machine's clock is 12 minutes ahead of the server's",
                                        "Set the clock", false};
    store(retention);
    auto check = run(domain::run_status::success, 61 * 24h);
    check.job = domain::job::check;
    store(check);
    m.write(m.env.home.rejected() / "20261123T173105.000000Z-backup-failure.json", "{}");
    expect("troubled");
    EXPECT_EQ(read().reports_rejected, 1U);
    EXPECT_EQ(read().notes.size(), 4U);
    retention.status = domain::run_status::success;
    store(retention);
    EXPECT_EQ(read().notes[1], "The last retention is 20 days old");
}

TEST_F(telling, nothing_of_that_while_all_is_well_or_nothing_runs)
{
    enrolled_with_config();
    store(good_backup(2h));
    EXPECT_TRUE(read().notes.empty());
    m.server.config.enabled = false;
    m.write(m.env.home.cached_config(), wire::encode(cached_config{.fetched_at = m.clock.now() - 90 * 24h,
                                                                   .config = wire::encode_config(m.server.config)}));
    EXPECT_TRUE(read().notes.empty());
}

TEST_F(telling, an_old_one)
{
    enrolled_with_config();
    store(good_backup(48h));
    EXPECT_EQ(read().verdict, "This machine's last backup was good");
    store(good_backup(48h + 1s));
    EXPECT_EQ(read().verdict, "The last backup is old: the last good one is from 2026-11-21T18:31:04Z (2 days ago)");
    store(good_backup(9 * 24h));
    expect("old");
}

TEST_F(telling, one_of_the_future)
{
    enrolled_with_config();
    store(good_backup(-1h));
    EXPECT_EQ(read().verdict, "This machine's last backup was good");
    EXPECT_NE(describe(read(), m.clock.now()).find("at 2026-11-23T19:31:05Z by a clock that was ahead"),
              std::string::npos);
    ASSERT_EQ(read().notes.size(), 1U);
    EXPECT_TRUE(read().notes[0].starts_with("This machine's clock is wrong, or was: its last backup ended at 2026-"));
    store(good_backup(-5min));
    EXPECT_TRUE(read().notes.empty());
}

TEST_F(telling, a_revoked_device)
{
    enrolled_with_config();
    store(good_backup(2h));
    auto cached = *load_cached_config(m.env.files, m.env.home);
    cached.revoked = true;
    m.write(m.env.home.cached_config(), wire::encode(cached));
    expect("revoked");
    EXPECT_EQ(read().state, "revoked");
}

TEST_F(telling, a_disabled_device)
{
    m.server.config.enabled = false;
    enrolled_with_config();
    store(good_backup(2h));
    expect("disabled");
    EXPECT_EQ(read().state, "disabled");
}

TEST_F(telling, a_machine_without_a_control_plane)
{
    m.set_up(m.legacy_config());
    store(good_backup(2h));
    expect("legacy");
    const auto s = read();
    EXPECT_EQ(s.config.origin, "local");
    EXPECT_FALSE(s.server_url);
}

TEST_F(telling, a_machine_that_was_switched_off_by_hand)
{
    auto c = m.legacy_config();
    c.enabled = false;
    m.set_up(c);
    EXPECT_EQ(read().state, "disabled");
    EXPECT_EQ(read().verdict, "This agent is disabled in its config.json: nothing is backed up");
    EXPECT_EQ(read().remedy, "Set enabled to true there");
}

TEST_F(telling, changes_nothing)
{
    enrolled_with_config();
    const auto before = m.memory.tree();
    read();
    EXPECT_EQ(m.memory.tree(), before);
    EXPECT_FALSE(std::filesystem::exists(m.env.home.lock()));
}

TEST_F(telling, has_a_form_for_programs)
{
    enrolled_with_config();
    store(good_backup(2h));
    test::expect_golden("agent/status.json", wire::pretty_json(wire::to_json(read())));
}

} // namespace
} // namespace xentz::agent
