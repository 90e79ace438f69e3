#include "agent/scheduled_run.hpp"

#include "machine.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;

class utc final : public os::time_zone {
public:
    std::chrono::seconds offset_at(std::chrono::sys_seconds) const override { return 0s; }
};

// The crontab of a user, kept in a string.
class crontab_program final : public os::process_runner {
public:
    explicit crontab_program(os::files& files) : files_(files) {}
    std::string crontab = "1 2 3 4 5 mine\n";

    base::result<os::process_end> run(const os::command& c, const os::process_limits&, std::stop_token,
                                      const os::line_sink&, const os::line_sink&) override
    {
        if (c.program.filename() == "sh")
            EXPECT_TRUE(os::write_atomic(files_, c.args.back(), crontab));
        else
            crontab = *os::read_all(files_, c.args.back(), 1 << 20);
        return os::process_end{.exit_code = 0};
    }

private:
    os::files& files_;
};

struct scheduled : ::testing::Test {
    machine m;
    utc zone;
    crontab_program cron{m.memory};
    scheduling timers{.zone = zone,
                      .around = {.files = m.memory,
                                 .processes = cron,
                                 .find_program = [](std::string_view name) -> base::result<std::filesystem::path> {
                                     return std::filesystem::path{"/usr/bin"} / name;
                                 },
                                 .platform = "linux",
                                 .user_home = "/home/ada",
                                 .user = "ada",
                                 .user_id = 1000,
                                 .folder = m.env.home.schedule()},
                      .command = {.program = "/usr/bin/xentz-agent"},
                      .wait = [this](std::chrono::milliseconds time, std::stop_token) {
                          waited += time;
                          m.clock.advance(time);
                          return true;
                      }};
    std::chrono::milliseconds waited{0};

    scheduled()
    {
        m.server.config.schedule = {.daily_at = "02:00", .retention_at = "03:00"};
        auto c = m.enrolled_config();
        c.scheduler = "cron";
        m.set_up(c);
        m.env.timers = &timers;
    }
    void at(std::string_view time) { m.clock.time = *base::parse_rfc3339(time); }
    std::size_t backups() const { return m.restic.backups.size(); }
    base::result<hourly_result> tick()
    {
        return run_due(
            m.env, timers,
            [](domain::job j) { return j == domain::job::retention ? retention_work() : backup_work({}, nullptr); },
            {});
    }
    base::result<std::optional<run_result>> timer()
    {
        return run_scheduled(m.env, timers, domain::job::backup, backup_work({}, nullptr), {});
    }
};

TEST_F(scheduled, whoever_comes_first_runs_the_job_and_the_other_one_nothing)
{
    at("2026-11-24T01:30:00Z");
    ASSERT_TRUE(tick());
    ASSERT_EQ(backups(), 1U) << "the first backup of a machine comes at once";
    at("2026-11-25T02:00:00Z");
    const auto first = timer();
    ASSERT_TRUE(first && *first);
    EXPECT_EQ(backups(), 2U);
    const auto second = timer();
    ASSERT_TRUE(second);
    EXPECT_FALSE(*second);
    m.clock.advance(17min);
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 2U);
}

TEST_F(scheduled, a_start_within_the_minute_before_its_time_waits_for_it)
{
    at("2026-11-24T03:30:00Z");
    ASSERT_TRUE(tick()); // the first backup; nothing is missed until the next day
    at("2026-11-25T01:59:20Z");
    ASSERT_TRUE(*timer());
    EXPECT_EQ(waited, 40s);
    at("2026-11-26T01:58:00Z");
    EXPECT_FALSE(*timer());
    EXPECT_EQ(waited, 40s) << "two minutes are too early to wait";
}

TEST_F(scheduled, a_tick_with_nothing_to_do_asks_nobody)
{
    at("2026-11-24T04:00:00Z");
    ASSERT_TRUE(tick());
    const auto requests = m.network.requests.size();
    m.clock.advance(1h);
    const auto quiet = tick();
    ASSERT_TRUE(quiet);
    EXPECT_FALSE(quiet->contacted);
    EXPECT_EQ(m.network.requests.size(), requests);
    m.clock.advance(4h);
    EXPECT_TRUE(tick()->contacted) << "a sign of life";
    EXPECT_GT(m.network.requests.size(), requests);
}

TEST_F(scheduled, the_timers_follow_the_server_and_the_report_says_so)
{
    at("2026-11-24T04:00:00Z");
    ASSERT_TRUE(tick());
    EXPECT_TRUE(cron.crontab.starts_with("1 2 3 4 5 mine\n"));
    EXPECT_TRUE(cron.crontab.contains("\n0 2 * * * "));
    m.server.config.schedule.daily_at = "14:00";
    m.server.etag = "\"2\"";
    const auto by_hand = run_job(m.env, domain::job::backup, backup_work({}, nullptr), {});
    ASSERT_TRUE(by_hand);
    EXPECT_TRUE(cron.crontab.contains("\n0 14 * * * "));
    ASSERT_FALSE(by_hand->state.warnings.empty());
    EXPECT_TRUE(by_hand->state.warnings.front().starts_with("the timers of cron were set to the schedule"));
    EXPECT_TRUE(by_hand->state.warnings.front().ends_with("the next backup comes at 2026-11-24T14:00:00Z"));
}

TEST_F(scheduled, a_disabled_machine_runs_nothing_and_hears_when_it_may_again)
{
    at("2026-11-24T04:00:00Z");
    ASSERT_TRUE(tick());
    const auto before = backups();
    m.server.config.enabled = false;
    m.server.etag = "\"2\"";
    at("2026-11-25T01:00:00Z");
    ASSERT_TRUE(tick());
    at("2026-11-25T02:00:00Z");
    EXPECT_FALSE(*timer());
    EXPECT_EQ(backups(), before);
    m.server.config.enabled = true;
    m.server.etag = "\"3\"";
    at("2026-11-25T06:00:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), before + 1) << "in the same tick";
}

TEST_F(scheduled, a_wish_of_the_server_is_done_once)
{
    at("2026-11-24T03:30:00Z");
    ASSERT_TRUE(tick());
    ASSERT_EQ(backups(), 1U);
    m.server.config.version = "v2";
    m.server.config.backup_now = "req_1";
    m.server.etag = "\"v2\"";
    m.clock.advance(1h);
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 1U) << "the server is not asked each hour";
    m.clock.advance(4h);
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 2U);
    m.clock.advance(5h);
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 2U);
    // A run of the schedule that brings the next wish does it by the way.
    m.server.config.version = "v3";
    m.server.config.backup_now = "req_2";
    m.server.etag = "\"v3\"";
    at("2026-11-25T02:00:00Z");
    ASSERT_TRUE(*timer());
    EXPECT_EQ(backups(), 3U);
    m.clock.advance(17min);
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 3U);
}

TEST_F(scheduled, a_failed_run_is_tried_again_by_a_later_tick)
{
    at("2026-11-24T04:00:00Z");
    ASSERT_TRUE(tick());
    const auto good = m.restic.backup_result;
    m.restic.backup_result = base::fail(fault_code::repository_unreachable, "away");
    at("2026-11-25T02:00:00Z");
    ASSERT_TRUE(timer());
    m.restic.backup_result = good;
    const auto before = backups();
    m.clock.advance(10min);
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), before) << "not at once";
    m.clock.advance(25min);
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), before + 1);
}

TEST_F(scheduled, a_run_by_another_build_leaves_the_call_of_the_timers_alone)
{
    at("2026-11-24T04:00:00Z");
    ASSERT_TRUE(tick()); // so that the server's schedule is known
    m.write("/usr/bin/xentz-agent", "the program");
    auto local = *load_local_config(m.env.files, m.env.home.config, *m.env.secrets);
    cron.crontab.clear();
    ASSERT_TRUE(os::create_directories(m.memory, "/run"));
    m.write("/run/crond.pid", "99\n");
    m.write("/proc/99/stat", "x");
    timers.command.environment["XENTZ_RESTIC"] = "/opt/restic";
    ASSERT_TRUE(install_timers(m.env, timers, local, "cron"));
    const auto installed = cron.crontab;
    EXPECT_TRUE(installed.contains("env XENTZ_RESTIC=/opt/restic /usr/bin/xentz-agent backup --scheduled"));
    timers.command = {.program = "/home/ada/build/xentz-agent"};
    ASSERT_TRUE(run_job(m.env, domain::job::backup, backup_work({}, nullptr), {}));
    EXPECT_EQ(cron.crontab, installed);
    ASSERT_TRUE(m.memory.remove("/usr/bin/xentz-agent"));
    ASSERT_TRUE(keep_timers(m.env, local, m.server.config.schedule));
    EXPECT_TRUE(cron.crontab.contains("/home/ada/build/xentz-agent")) << "a program that is gone is no use";
}

TEST_F(scheduled, status_tells_a_vanished_schedule)
{
    at("2026-11-24T04:00:00Z");
    ASSERT_TRUE(tick());
    const auto local = load_local_config(m.env.files, m.env.home.config, *m.env.secrets);
    auto seen = look_at_timers(m.env, timers, *local);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->presence, schedule::presence::as_wanted);
    EXPECT_EQ(seen->next_runs.front(), *base::parse_rfc3339("2026-11-25T02:00:00Z"));
    cron.crontab = "1 2 3 4 5 mine\n";
    seen = look_at_timers(m.env, timers, *local);
    EXPECT_EQ(seen->presence, schedule::presence::absent);
    EXPECT_EQ(examine_timers(m.env).state, finding_state::problem);
    ASSERT_TRUE(keep_timers(m.env, *local, m.server.config.schedule));
    EXPECT_EQ(examine_timers(m.env).state, finding_state::good);
}

} // namespace
} // namespace xentz::agent
