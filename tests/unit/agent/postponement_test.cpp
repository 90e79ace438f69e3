#include "agent/postponement.hpp"

#include "agent/scheduled_run.hpp"
#include "agent/status.hpp"
#include "machine.hpp"

#include <gmock/gmock.h>

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class an_hour_ahead final : public os::time_zone {
public:
    std::chrono::seconds offset_at(std::chrono::sys_seconds) const override { return 1h; }
};

// A machine whose backup is due at 02:00 local time, 01:00 UTC, and whose policy has conditions.
struct waiting : testing::Test {
    machine m;
    an_hour_ahead zone;
    scheduling timers{.zone = zone,
                      .around = {.files = m.memory,
                                 .processes = m.programs,
                                 .find_program = [](std::string_view) -> base::result<std::filesystem::path> {
                                     return base::fail(fault_code::not_found, "none");
                                 },
                                 .platform = "linux",
                                 .user_home = "/home/ada",
                                 .user = "ada",
                                 .user_id = 1000,
                                 .folder = m.env.home.schedule()},
                      .command = {.program = "/usr/bin/xentz-agent"},
                      .wait = [](std::chrono::milliseconds, std::stop_token) { return true; }};

    waiting()
    {
        m.server.config.schedule = {.daily_at = "02:00"};
        m.server.config.conditions = domain::conditions{
            .not_on_battery = domain::patience{.deadline_hours = 30}, .not_on_metered = {}, .only_within = {}};
        m.enrol();
        m.env.timers = &timers;
        at("2026-11-23T12:00:00Z");
        EXPECT_EQ(fault_of(m.backup()), "none") << "by hand nothing waits, and the config is known now";
        EXPECT_TRUE(tick()) << "from now on the schedule holds";
        m.server.reports.clear();
        m.restic.backups.clear();
    }
    void at(std::string_view time) { m.clock.time = time_at(time); }
    void change_config()
    {
        m.server.config.version = "v2";
        m.server.etag = "\"v2\"";
    }
    std::size_t backups() const { return m.restic.backups.size(); }
    base::result<hourly_result> tick()
    {
        return run_due(
            m.env, timers,
            [](domain::job j) { return j == domain::job::retention ? retention_work() : backup_work({}, nullptr); },
            {});
    }
    std::vector<wire::report_message> backup_reports() const
    {
        auto out = m.server.reports;
        std::erase_if(out, [](const auto& r) { return r.job != domain::job::backup; });
        return out;
    }
    std::vector<std::string> outcomes() const
    {
        std::vector<std::string> out;
        for (const auto& r : backup_reports()) out.push_back(r.outcome.value_or("-"));
        return out;
    }
};

TEST_F(waiting, a_run_waits_and_says_so_once)
{
    m.around.battery = true;
    at("2026-11-24T01:10:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 0U);
    at("2026-11-24T02:10:00Z");
    ASSERT_TRUE(tick());
    ASSERT_THAT(outcomes(), ElementsAre("postponed"));
    const auto r = backup_reports().front();
    EXPECT_EQ(r.status, domain::run_status::failure) << "no backup was made";
    EXPECT_EQ(r.fault->code, "postponed");
    EXPECT_EQ(r.fault->message, "the backup of 2026-11-24T01:00:00Z waits: this machine runs on battery; it runs at "
                                "2026-11-25T07:00:00Z at the latest");
    EXPECT_EQ(m.state()->status, domain::run_status::success) << "the last result stands";
    const auto s = read_status(m.env);
    ASSERT_THAT(s.postponed, SizeIs(2)) << "the retention, too";
    EXPECT_THAT(s.notes, testing::Contains(HasSubstr("waits, because this machine runs on battery")));
}

TEST_F(waiting, it_runs_as_soon_as_nothing_speaks_against_it)
{
    m.around.battery = true;
    at("2026-11-24T01:10:00Z");
    ASSERT_TRUE(tick());
    m.around.battery = false;
    at("2026-11-24T02:10:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 1U);
    EXPECT_THAT(outcomes(), ElementsAre("postponed", "-"));
    EXPECT_THAT(read_status(m.env).postponed, IsEmpty());
}

TEST_F(waiting, at_its_deadline_it_runs_whatever_there_is_and_another_time_of_the_schedule_gives_no_more)
{
    m.around.battery = true;
    at("2026-11-24T01:10:00Z");
    ASSERT_TRUE(tick());
    at("2026-11-25T06:50:00Z"); // the schedule's time of that day has come, too
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 0U);
    at("2026-11-25T07:00:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 1U);
    EXPECT_THAT(outcomes(), ElementsAre("postponed", "-"));
}

TEST_F(waiting, after_a_try_that_failed_at_the_deadline_it_does_not_wait_anew)
{
    m.around.battery = true;
    at("2026-11-24T01:10:00Z");
    ASSERT_TRUE(tick());
    m.restic.backup_result = base::fail(fault_code::repository_unreachable, "gone");
    at("2026-11-25T07:10:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 1U);
    for (const auto& p : read_status(m.env).postponed) EXPECT_NE(p.job, domain::job::backup) << "it waits no more";
    m.restic.backup_result = fakes::fake_engine::good_backup();
    at("2026-11-25T17:10:00Z"); // the next try after a failure that may pass
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 2U);
}

TEST_F(waiting, without_catch_up_a_run_that_had_to_wait_is_made_all_the_same)
{
    m.server.config.schedule.catch_up = false;
    change_config();
    EXPECT_EQ(fault_of(m.backup()), "none");
    ASSERT_TRUE(tick());
    m.restic.backups.clear();
    m.around.battery = true;
    at("2026-11-24T01:10:00Z");
    ASSERT_TRUE(tick());
    m.around.battery = false;
    at("2026-11-24T09:10:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 1U);
}

TEST_F(waiting, what_is_not_known_holds_nothing_back)
{
    m.around.battery = std::nullopt;
    at("2026-11-24T01:10:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 1U);
}

TEST_F(waiting, a_backup_that_the_control_plane_asks_for_does_not_wait)
{
    m.around.battery = true;
    m.server.config.backup_now = "wish-1";
    change_config();
    at("2026-11-23T18:00:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 1U);
}

TEST_F(waiting, nor_does_one_that_is_due_besides)
{
    m.around.battery = true;
    at("2026-11-24T01:10:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 0U);
    m.server.config.backup_now = "wish-1";
    change_config();
    at("2026-11-24T06:10:00Z");
    ASSERT_TRUE(tick());
    EXPECT_EQ(backups(), 1U);
}

TEST_F(waiting, a_run_by_hand_does_not_wait)
{
    m.around.battery = true;
    at("2026-11-24T01:10:00Z");
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_EQ(backups(), 1U);
}

TEST_F(waiting, a_timer_of_its_own_tells_the_control_plane_at_once)
{
    m.around.battery = true;
    at("2026-11-24T01:00:00Z");
    const auto done = run_scheduled(m.env, timers, domain::job::backup, backup_work({}, nullptr), {});
    ASSERT_TRUE(done);
    EXPECT_FALSE(*done);
    EXPECT_THAT(outcomes(), ElementsAre("postponed"));
}

TEST_F(waiting, another_reason_is_told_too)
{
    m.server.config.conditions->only_within = [] {
        domain::window w;
        w.from = "20:00";
        w.to = "04:00";
        return w;
    }();
    change_config();
    EXPECT_EQ(fault_of(m.backup()), "none");
    m.server.reports.clear();
    m.around.battery = true;
    at("2026-11-24T01:10:00Z"); // 02:10 on the wall
    ASSERT_TRUE(tick());
    at("2026-11-24T03:10:00Z");
    ASSERT_TRUE(tick());
    ASSERT_THAT(outcomes(), ElementsAre("postponed", "postponed"));
    EXPECT_THAT(backup_reports().back().fault->message, HasSubstr("it is not between 20:00 and 04:00"));
    EXPECT_EQ(backup_reports().back().started_at, backup_reports().front().started_at);
}

} // namespace
} // namespace xentz::agent
