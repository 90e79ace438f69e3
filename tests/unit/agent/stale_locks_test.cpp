#include "agent/engine_record.hpp"
#include "agent/repository_pin.hpp"
#include "agent/stale_locks.hpp"
#include "machine.hpp"
#include "support/golden.hpp"

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;
using enum lock_verdict;

const base::time_point noon = time_at("2026-11-23T12:00:00Z");

struct judging : testing::Test {
    process_list processes;
    engine::lock lock{.id = std::string(64, 'l'), .since = noon, .host = "web1", .user = "root", .process_id = 77};
    lock_facts facts{.now = noon + 10min,
                     .server_now = noon + 10min,
                     .host = "web1",
                     .same_machine = true,
                     .own = {},
                     .processes = &processes};
    std::optional<base::time_point> stored_at = noon;

    lock_verdict verdict() { return judge_lock(lock, stored_at, facts).verdict; }
};

TEST_F(judging, a_lock_of_this_machine_is_dead_where_no_process_has_its_id) { EXPECT_EQ(verdict(), dead); }

TEST_F(judging, a_running_process_keeps_its_lock)
{
    processes.started[77] = noon - 1h;
    EXPECT_EQ(verdict(), alive);
    processes.started[77] = noon; // it has just begun
    EXPECT_EQ(verdict(), alive);
}

TEST_F(judging, a_process_that_was_given_the_id_later_is_not_the_holder)
{
    processes.started[77] = noon + 5min;
    EXPECT_EQ(verdict(), dead);
}

TEST_F(judging, what_cannot_be_known_for_certain_keeps_the_lock)
{
    lock.host = "web2";
    EXPECT_EQ(verdict(), uncertain) << "another host";
    lock.host = "web1";
    facts.same_machine = false;
    EXPECT_EQ(verdict(), uncertain) << "a clone of the machine has its name";
    facts.same_machine = true;
    processes.all = false;
    EXPECT_EQ(verdict(), uncertain) << "a container does not see the processes beside it";
    processes.all = true;
    facts.now = noon + 10min + 6min;
    EXPECT_EQ(verdict(), uncertain) << "with a wrong clock no start can be compared";
    facts.now = noon + 10min - 6min;
    EXPECT_EQ(verdict(), uncertain);
    facts.server_now.reset();
    EXPECT_EQ(verdict(), dead) << "no other clock is known";
}

TEST_F(judging, a_lock_of_this_agents_own_process_is_dead_wherever_it_runs)
{
    facts.same_machine = false;
    processes.all = false;
    facts.own = {{.process_id = 77, .started_at = noon - 1s, .host = "web1"}};
    EXPECT_EQ(verdict(), dead);
    facts.own[0].started_at = noon + 1min;
    EXPECT_EQ(verdict(), uncertain) << "the lock is older than that process";
    facts.own[0] = {.process_id = 78, .started_at = noon - 1s, .host = "web1"};
    EXPECT_EQ(verdict(), uncertain);
    facts.own[0] = {.process_id = 77, .started_at = noon - 1s, .host = "container-1"};
    EXPECT_EQ(verdict(), uncertain);
}

TEST_F(judging, a_lock_that_nobody_refreshed_for_half_an_hour_is_dead)
{
    lock.host = "web2";
    facts.server_now = noon + 30min;
    EXPECT_EQ(verdict(), uncertain);
    facts.server_now = noon + 30min + 1s;
    EXPECT_EQ(verdict(), dead);
    // By the server's clock alone: neither the holder's nor ours counts.
    facts.now = noon + 24h;
    facts.server_now = noon + 10min;
    EXPECT_EQ(verdict(), uncertain);
    lock.since = noon - 24h;
    EXPECT_EQ(verdict(), uncertain);
    stored_at.reset(); // a server that does not say leaves what the holder wrote
    EXPECT_EQ(verdict(), dead);
    facts.server_now.reset();
    EXPECT_EQ(verdict(), uncertain);
}

TEST_F(judging, an_old_lock_of_a_running_process_stays)
{
    processes.started[77] = noon - 1h;
    facts.server_now = noon + 5h;
    EXPECT_EQ(verdict(), alive);
}

// ---- in a run

struct locked : running {
    locked()
    {
        EXPECT_TRUE(m.backup()); // pins the repository and the machine
        m.restic.calls.clear();
        m.server.clock_headers = {{"Date", "Mon, 23 Nov 2026 18:31:05 GMT"}};
        m.restic.locks_result = std::vector{lock_of('1', 9)};
        refuse();
        m.restic.on_call = [this](std::string_view call) {
            if (call == "locks") accept();
        };
    }

    engine::lock lock_of(char digit, std::int64_t process) const
    {
        return {.id = std::string(64, digit),
                .since = m.clock.now() - 10min,
                .exclusive = true,
                .host = "web1",
                .user = "root",
                .process_id = process};
    }
    void refuse()
    {
        m.restic.apply_result = base::fail(fault_code::repository_locked, "locked by process 9");
        m.restic.backup_result = base::fail(fault_code::repository_locked, "locked by process 9");
    }
    void accept()
    {
        m.restic.apply_result = engine::retention_outcome{.kept = 3};
        m.restic.backup_result = fakes::fake_engine::good_backup();
        m.restic.backup_result->metrics.snapshot_id = "5b57749a";
    }
};

TEST_F(locked, retention_and_backup_get_past_the_lock_of_a_restic_that_is_gone)
{
    const auto thinned = m.retention();
    EXPECT_EQ(fault_of(thinned), "none");
    EXPECT_EQ(m.restic.calls, (std::vector<std::string>{"apply", "locks", "apply"}));
    EXPECT_EQ(m.server.removed_locks, std::vector<std::string>{std::string(64, '1')});
    ASSERT_EQ(thinned->state.warnings.size(), 1U);
    EXPECT_NE(thinned->state.warnings[0].find("removed the exclusive lock of process 9 on web1"), std::string::npos);
    EXPECT_EQ(last_report().details->warnings, thinned->state.warnings);
    refuse();
    EXPECT_EQ(fault_of(m.backup()), "none");
}

TEST_F(locked, only_the_dead_lock_is_removed)
{
    m.restic.locks_result = std::vector{lock_of('1', 9), lock_of('2', 10)};
    m.processes.started[10] = m.clock.now() - 1h;
    static_cast<void>(m.retention());
    EXPECT_EQ(m.server.removed_locks, std::vector<std::string>{std::string(64, '1')});
    EXPECT_FALSE(m.restic.called("unlock"));
}

TEST_F(locked, the_lock_of_one_that_is_alive_stays_and_the_run_says_so)
{
    m.restic.on_call = {};
    m.processes.started[9] = m.clock.now() - 1h;
    EXPECT_EQ(fault_of(m.retention()), "repository-locked");
    EXPECT_EQ(m.restic.calls, (std::vector<std::string>{"apply", "locks"}));
    EXPECT_TRUE(m.server.removed_locks.empty());
}

TEST_F(locked, a_lock_that_vanished_meanwhile_needs_no_removal)
{
    m.server.locks_status = 404;
    EXPECT_EQ(fault_of(m.retention()), "repository-locked");
    EXPECT_TRUE(m.server.removed_locks.empty());
}

TEST_F(locked, a_repository_whose_locks_cannot_be_read_stays_locked)
{
    m.restic.on_call = {};
    m.restic.locks_result = base::fail(fault_code::repository_unreachable, "away");
    EXPECT_EQ(fault_of(m.retention()), "repository-locked");
}

TEST_F(locked, nothing_is_judged_for_another_reason)
{
    m.restic.apply_result = base::fail(fault_code::repository_damaged, "damaged");
    EXPECT_EQ(fault_of(m.retention()), "repository-damaged");
    EXPECT_FALSE(m.restic.called("locks"));
}

TEST_F(locked, another_back_end_is_unlocked_by_restic_and_only_where_every_lock_is_dead)
{
    m.server.config.restic.repository = "rest:https://dev_1:c@repo.example.com/";
    const auto session = m.env.engine.open({});
    const auto client = m.env.make_client({});
    m.restic.locks_result = std::vector{lock_of('1', 9), lock_of('2', 10)};
    m.processes.started[10] = m.clock.now() - 1h;
    const auto kept = clear_dead_locks(m.env, "sftp:host:/srv", *client, **session, {});
    ASSERT_TRUE(kept);
    EXPECT_TRUE(kept->removed.empty());
    EXPECT_FALSE(m.restic.called("unlock"));
    m.processes.started.clear();
    const auto cleared = clear_dead_locks(m.env, "sftp:host:/srv", *client, **session, {});
    ASSERT_TRUE(cleared);
    EXPECT_EQ(cleared->removed.size(), 2U);
    EXPECT_TRUE(m.restic.called("unlock"));
}

// ---- the record of processes

TEST_F(running, each_process_of_the_engine_is_recorded)
{
    for (std::int64_t id = 1; id <= 70; ++id) record_engine_process(m.env, id);
    const auto record = load_engine_record(m.env.files, m.env.home);
    ASSERT_EQ(record.size(), most_processes_recorded);
    EXPECT_EQ(record.front().process_id, 7);
    EXPECT_EQ(record.back().process_id, 70);
    EXPECT_EQ(record.back().host, "web1");
    EXPECT_EQ(record.back().started_at, m.clock.now());
    m.write(m.env.home.engine_record(), "{ damaged");
    EXPECT_TRUE(load_engine_record(m.env.files, m.env.home).empty());
    record_engine_process(m.env, 71);
    EXPECT_EQ(load_engine_record(m.env.files, m.env.home).size(), 1U);
    test::expect_golden("agent/engine.json", m.read(m.env.home.engine_record()));
}

TEST_F(running, the_engine_holds_the_run_lock_and_names_its_processes)
{
    m.restic.on_call = [&](std::string_view call) {
        if (call == "backup") m.restic.opened.back().on_process(4712);
    };
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(m.restic.opened.back().inherited.size(), 1U);
    EXPECT_EQ(load_engine_record(m.env.files, m.env.home).back().process_id, 4712);
}

} // namespace
} // namespace xentz::agent
