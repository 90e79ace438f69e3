// The promise of agent/job_run.hpp: wherever a run is killed, or the power goes, the next one reports it exactly once.
#include "fakes/crashing_files.hpp"
#include "machine.hpp"

#include <map>
#include <set>

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;
using fakes::survivors;

struct crash_world {
    fakes::memory_files disk;
    fakes::crashing_files files{disk};
    machine m{&files};

    // False where the run was killed.
    bool backup_until(std::uint64_t n)
    {
        files.kill_at(n);
        try {
            static_cast<void>(m.backup());
            files.spare();
            return true;
        } catch (const fakes::killed&) {
            files.spare();
            return false;
        }
    }
    void power_cut(survivors s)
    {
        disk.restart(s);
        m.clock.advance(1h);
    }
    std::size_t backups() const { return m.restic.backups.size(); }

    // What the server knows of each run. A report that came more than once must say the same each time.
    std::map<std::string, std::string> known_runs() const
    {
        std::map<std::string, std::string> runs;
        for (const auto& r : m.server.reports) {
            const auto what = r.outcome.value_or(std::string{domain::name(r.status)});
            const auto [at, fresh] = runs.emplace(r.report_id.value_or("(none)"), what);
            EXPECT_EQ(at->second, what) << "run " << at->first << " was reported twice, and differently";
        }
        return runs;
    }
    std::size_t count(const std::string& outcome) const
    {
        const auto runs = known_runs();
        return static_cast<std::size_t>(
            std::ranges::count(runs, outcome, &std::pair<const std::string, std::string>::second));
    }
    void expect_settled()
    {
        EXPECT_FALSE(m.exists(m.env.home.running()));
        EXPECT_TRUE(m.spooled().empty());
        EXPECT_TRUE(m.rejected().empty());
    }
};

class crash : public testing::TestWithParam<survivors> {};

std::string name_of(const testing::TestParamInfo<survivors>& test)
{
    switch (test.param) {
    case survivors::nothing:
        return "nothing_unsynced_survives";
    case survivors::names:
        return "names_survive";
    case survivors::everything:
        break;
    }
    return "everything_survives";
}

INSTANTIATE_TEST_SUITE_P(agent, crash, testing::Values(survivors::nothing, survivors::names, survivors::everything),
                         name_of);

TEST_P(crash, each_run_is_reported_exactly_once)
{
    bool done = false;
    std::set<std::string> stories;
    for (std::uint64_t n = 1; !done; ++n) {
        SCOPED_TRACE("killed at call " + std::to_string(n));
        crash_world w;
        w.m.enrol();
        done = w.backup_until(n);
        const auto worked = w.backups();
        w.power_cut(GetParam());

        const auto second = w.m.backup();
        ASSERT_TRUE(second) << second.error().message;
        EXPECT_FALSE(second->fault);
        w.expect_settled();
        EXPECT_EQ(w.m.state()->report_id, second->state.report_id);
        const auto runs = w.known_runs();
        EXPECT_EQ(runs.at(second->state.report_id), "success");
        EXPECT_LE(runs.size(), 2U);
        EXPECT_GE(runs.size(), worked + 1) << "the killed run is lost";
        EXPECT_EQ(w.count("success") + w.count("interrupted"), runs.size());
        EXPECT_TRUE(!done || w.count("success") == 2U);
        stories.insert(std::to_string(worked) + " worked, " + std::to_string(w.count("interrupted")) + " interrupted");
        ASSERT_LT(n, 1000U);
    }
    // The killings were spread over the whole run.
    EXPECT_EQ(stories, (std::set<std::string>{"0 worked, 0 interrupted", "0 worked, 1 interrupted",
                                              "1 worked, 0 interrupted", "1 worked, 1 interrupted"}));
}

TEST_P(crash, also_where_the_next_run_is_killed_too)
{
    bool done = false;
    for (std::uint64_t n = 1; !done; ++n) {
        SCOPED_TRACE("second run killed at call " + std::to_string(n));
        crash_world w;
        w.m.enrol();
        w.m.restic.on_call = [](std::string_view) { throw fakes::killed{}; }; // in the middle of the work
        EXPECT_FALSE(w.backup_until(UINT64_MAX));
        w.m.restic.on_call = {};
        w.power_cut(GetParam());
        done = w.backup_until(n);
        w.power_cut(GetParam());
        const auto third = w.m.backup();
        ASSERT_TRUE(third) << third.error().message;
        w.expect_settled();
        EXPECT_EQ(w.known_runs().size(), w.backups() == 3 ? 3U : w.known_runs().size());
        EXPECT_GE(w.count("interrupted"), 1U);
        EXPECT_GE(w.count("success"), 1U);
        EXPECT_LE(w.known_runs().size(), 3U);
        ASSERT_LT(n, 1000U);
    }
}

TEST_P(crash, an_earlier_good_run_is_not_forgotten)
{
    bool done = false;
    for (std::uint64_t n = 1; !done; ++n) {
        SCOPED_TRACE("killed at call " + std::to_string(n));
        crash_world w;
        w.m.enrol();
        ASSERT_TRUE(w.m.backup());
        const auto good = w.m.state()->finished_at;
        w.power_cut(survivors::everything);
        done = w.backup_until(n);
        w.power_cut(GetParam());
        w.m.restic.backup_result = base::fail(fault_code::restic_failed, "no");
        w.m.server.repository_status = 404; // it must be known that there was one
        const auto r = w.m.backup();
        ASSERT_TRUE(r);
        EXPECT_EQ(fault_of(r), "repository-changed");
        EXPECT_GE(w.m.state()->last_good->finished_at, good);
        w.expect_settled();
        ASSERT_LT(n, 1000U);
    }
}

// A disk that fails once, or from some moment on, does not kill the run: it goes on without.
TEST(failing_disk, no_run_is_reported_twice_or_differently)
{
    for (const bool once : {true, false}) {
        std::uint64_t n = 1;
        for (bool failed = true; failed && n < 1000; ++n) {
            SCOPED_TRACE((once ? "call " : "from call ") + std::to_string(n));
            machine m;
            m.enrol();
            if (once)
                m.memory.fail_at(n, fault_code::disk_full);
            else
                m.memory.power_off_at(n);
            const auto first = m.backup();
            failed = m.memory.calls() >= n;
            m.memory.heal();
            m.clock.advance(1h);
            ASSERT_TRUE(m.backup());
            EXPECT_FALSE(m.exists(m.env.home.running()));
            std::map<std::string, std::set<std::string>> runs;
            for (const auto& r : m.server.reports)
                runs[*r.report_id].insert(r.outcome.value_or(std::string{domain::name(r.status)}));
            for (const auto& [id, stories] : runs) EXPECT_EQ(stories.size(), 1U) << id;
            EXPECT_EQ(runs.size(), m.restic.backups.size() == 2 ? 2U : runs.size());
            EXPECT_LE(runs.size(), 2U);
            const bool good = once && first && !first->fault;
            EXPECT_TRUE(!good || runs.at(first->state.report_id) == std::set<std::string>{"success"});
        }
        EXPECT_GT(n, 30U);
        EXPECT_LT(n, 1000U);
    }
}

TEST(killed_run, is_told_as_what_it_was)
{
    crash_world w;
    w.m.enrol();
    w.m.restic.on_call = [](std::string_view) { throw fakes::killed{}; };
    EXPECT_FALSE(w.backup_until(UINT64_MAX));
    const auto marker = *load_marker(w.m.env.files, w.m.env.home);
    w.m.restic.on_call = {};
    w.power_cut(survivors::nothing);
    ASSERT_TRUE(w.m.retention()); // any run settles it, whatever its job
    const auto s = *w.m.state();
    EXPECT_EQ(s.report_id, marker.report_id);
    EXPECT_EQ(s.started_at, marker.started_at);
    EXPECT_EQ(s.finished_at, w.m.clock.now());
    EXPECT_EQ(s.status, domain::run_status::failure);
    EXPECT_EQ(s.outcome, "interrupted");
    EXPECT_EQ(s.fault->code, "interrupted");
    EXPECT_TRUE(s.fault->retry);
    EXPECT_TRUE(w.m.log.warned("the last backup was interrupted"));
    ASSERT_EQ(w.m.server.reports.size(), 2U);
    EXPECT_EQ(w.m.server.reports[0].report_id, marker.report_id);
    EXPECT_EQ(w.m.server.reports[0].job, domain::job::backup);
    EXPECT_EQ(w.m.server.reports[0].fault, s.fault);
}

// Killed between the spool and the marker: the report is there already.
TEST(killed_run, is_not_spooled_twice)
{
    bool seen = false;
    for (std::uint64_t n = 1; n < 1000; ++n) {
        crash_world w;
        w.m.enrol();
        const bool done = w.backup_until(n);
        w.m.server.how = plane::away;
        const bool both = w.m.spooled().size() == 1 && w.m.exists(w.m.env.home.running());
        seen = seen || both;
        if (both) {
            static_cast<void>(w.m.retention());
            std::multiset<std::string> ids;
            for (const auto& name : w.m.spooled())
                ids.insert(wire::decode_report(w.m.read(w.m.env.home.spool() / name))->report_id.value_or(""));
            EXPECT_EQ(ids.count(w.m.state()->report_id), 1U);
        }
        if (done) break;
    }
    EXPECT_TRUE(seen);
}

TEST(killed_run, is_settled_once_although_the_device_is_disabled)
{
    crash_world w;
    w.m.enrol();
    w.m.restic.on_call = [](std::string_view) { throw fakes::killed{}; };
    EXPECT_FALSE(w.backup_until(UINT64_MAX));
    w.m.restic.on_call = {};
    w.m.server.config.enabled = false;
    w.m.server.etag = "\"v2\"";
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(code_of(w.m.backup()), "disabled");
        EXPECT_EQ(w.m.server.reports.size(), 1U);
        w.expect_settled();
    }
}

TEST(killed_run, without_a_control_plane_is_recorded_alone)
{
    crash_world w;
    w.m.set_up(w.m.legacy_config());
    w.m.restic.on_call = [](std::string_view call) {
        if (call == "backup") throw fakes::killed{};
    };
    EXPECT_FALSE(w.backup_until(UINT64_MAX));
    w.m.restic.on_call = {};
    ASSERT_TRUE(w.m.retention());
    EXPECT_EQ(w.m.state()->outcome, "interrupted");
    EXPECT_FALSE(w.m.exists(w.m.env.home.running()));
    EXPECT_TRUE(w.m.spooled().empty());
}

// It goes without a sync.
TEST_F(running, a_marker_that_a_power_cut_brings_back_makes_no_second_run_of_it)
{
    const auto first = m.backup();
    ASSERT_EQ(fault_of(first), "none");
    const auto id = first->state.report_id;
    ASSERT_TRUE(save_marker(m.env.files, m.env.home,
                            {.started_at = first->state.started_at, .report_id = id, .process_id = 4711}));
    m.clock.advance(std::chrono::hours{1});
    ASSERT_EQ(fault_of(m.backup()), "none");
    ASSERT_EQ(m.server.reports.size(), 3U);
    EXPECT_EQ(m.server.reports[1].report_id, id) << "known to the server, which counts it once";
    EXPECT_EQ(m.server.reports[1].status, domain::run_status::success);
    EXPECT_EQ(m.server.reports[1].outcome, std::nullopt) << "not interrupted";
}

} // namespace
} // namespace xentz::agent
