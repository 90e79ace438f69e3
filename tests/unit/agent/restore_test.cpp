#include "agent/restore.hpp"
#include "machine.hpp"

#include <cstdlib>
#include <ctime>

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;

engine::snapshot snapshot(char digit, const std::string& time)
{
    engine::snapshot s;
    s.id = std::string(64, digit);
    s.short_id = s.id.substr(0, 8);
    s.time = time;
    return s;
}

// One hour ahead of UTC in winter, two in summer.
class local_time {
public:
    local_time()
    {
        if (const auto* old = std::getenv("TZ")) before_ = old;
        ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        ::tzset();
    }
    ~local_time()
    {
        if (before_)
            ::setenv("TZ", before_->c_str(), 1);
        else
            ::unsetenv("TZ");
        ::tzset();
    }
    local_time(const local_time&) = delete;
    local_time& operator=(const local_time&) = delete;

private:
    std::optional<std::string> before_;
};

struct choosing : testing::Test {
    local_time zone;
    std::vector<engine::snapshot> all = {
        snapshot('a', "2026-11-20T12:00:00.123456789+01:00"), snapshot('b', "2026-11-21T23:59:59+01:00"),
        snapshot('c', "2026-11-22T00:00:00+01:00"), snapshot('d', "2026-11-23T09:00:00Z")};

    std::string choose(const std::string& wanted)
    {
        const auto s = choose_snapshot(all, wanted);
        EXPECT_TRUE(s || s.error().code == fault_code::snapshot_missing);
        return s ? s->id.substr(0, 1) : s.error().message;
    }
};

TEST_F(choosing, latest_is_the_newest_wherever_it_stands)
{
    EXPECT_EQ(choose("latest"), "d");
    std::ranges::reverse(all);
    EXPECT_EQ(choose("latest"), "d");
}

TEST_F(choosing, an_id_or_its_first_digits)
{
    EXPECT_EQ(choose(std::string(64, 'b')), "b");
    EXPECT_EQ(choose("bbbb"), "b");
    EXPECT_EQ(choose("bbbbbbbb"), "b");
    EXPECT_EQ(choose("bbb"), "this machine has no snapshot bbb"); // too short to mean one
    EXPECT_EQ(choose("eeee"), "this machine has no snapshot eeee");
    EXPECT_EQ(choose(""), "this machine has no snapshot ");
    all.push_back(all[1]);
    all.back().id.back() = '0';
    EXPECT_EQ(choose("bbbb"), "several snapshots begin with bbbb");
}

TEST_F(choosing, a_day_is_local_and_means_until_its_end)
{
    EXPECT_EQ(choose("2026-11-21"), "b");
    EXPECT_EQ(choose("2026-11-22"), "c");
    EXPECT_EQ(choose("2026-11-23"), "d");
    EXPECT_EQ(choose("2027-01-01"), "d");
    EXPECT_EQ(choose("2026-11-20"), "a");
    EXPECT_EQ(choose("2026-11-19"), "no snapshot of this machine is as old as 2026-11-19");
    EXPECT_EQ(choose("2026-11-31"), "this machine has no snapshot 2026-11-31"); // no such day
}

TEST_F(choosing, a_time_means_until_then)
{
    EXPECT_EQ(choose("2026-11-21T22:59:58Z"), "a");
    EXPECT_EQ(choose("2026-11-21T22:59:59Z"), "b");
    EXPECT_EQ(choose("2026-11-22T00:00:00+01:00"), "c");
    EXPECT_EQ(choose("2026-11-20T10:59:59Z"), "no snapshot of this machine is as old as 2026-11-20T10:59:59Z");
}

TEST_F(choosing, none_is_told)
{
    all.clear();
    for (const auto* wanted : {"latest", "aaaa", "2026-11-20"})
        EXPECT_EQ(choose(wanted), "this machine has no snapshot yet");
}

struct restoring : testing::Test {
    machine m;
    restore_options options{.target = "/restored"};

    restoring()
    {
        m.enrol();
        m.restic.snapshots_result = {snapshot('a', "2026-11-20T12:00:00Z"), snapshot('b', "2026-11-21T12:00:00Z")};
    }
    base::result<run_result> restore() { return run_job(m.env, domain::job::restore, restore_work(options, {}), {}); }
};

TEST_F(restoring, gets_the_chosen_snapshot_and_reports_it)
{
    options.snapshot = "aaaaaaaa";
    options.include = {"/srv/www"};
    const auto r = restore();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_FALSE(r->fault);
    ASSERT_EQ(m.restic.restores.size(), 1U);
    EXPECT_EQ(m.restic.restores[0].snapshot_id, std::string(64, 'a'));
    EXPECT_EQ(m.restic.restores[0].target, "/restored");
    EXPECT_EQ(m.restic.restores[0].include, std::vector<std::string>{"/srv/www"});
    EXPECT_EQ(m.restic.scopes[0].host, "web1");
    const auto& sent = m.server.reports.back();
    EXPECT_EQ(sent.job, domain::job::restore);
    EXPECT_EQ(sent.metrics,
              (domain::metrics{.snapshot_id = std::string(64, 'a'), .files_restored = 2, .bytes_restored = 42}));
    EXPECT_TRUE(m.state(domain::job::restore));
}

TEST_F(restoring, the_latest_unless_told_otherwise)
{
    ASSERT_TRUE(restore());
    EXPECT_EQ(m.restic.restores[0].snapshot_id, std::string(64, 'b'));
}

TEST_F(restoring, never_writes_into_a_folder_that_holds_something)
{
    m.write("/restored/file", "mine");
    const auto r = restore();
    ASSERT_TRUE(r);
    EXPECT_EQ(fault_of(r), "target-not-empty");
    EXPECT_NE(remedy_of(r).find("--overwrite"), std::string::npos);
    EXPECT_TRUE(m.restic.calls.empty());
    options.overwrite = true;
    EXPECT_EQ(fault_of(restore()), "none");
    EXPECT_TRUE(m.restic.called("restore"));
}

TEST_F(restoring, an_empty_folder_will_do)
{
    ASSERT_TRUE(os::create_directories(m.env.files, "/restored"));
    EXPECT_EQ(fault_of(restore()), "none");
}

TEST_F(restoring, a_snapshot_that_is_none_is_told_before_anything_is_written)
{
    options.snapshot = "ffff";
    EXPECT_EQ(fault_of(restore()), "snapshot-missing");
    EXPECT_FALSE(m.restic.called("restore"));
}

TEST_F(restoring, works_with_the_cached_config_where_the_control_plane_is_away)
{
    ASSERT_TRUE(m.backup());
    m.server.how = plane::away;
    EXPECT_EQ(fault_of(restore()), "none");
}

TEST_F(restoring, makes_no_repository)
{
    m.server.repository_status = 404;
    EXPECT_EQ(fault_of(restore()), "repository-missing");
    EXPECT_TRUE(m.restic.calls.empty());
}

TEST_F(restoring, a_failure_is_recorded)
{
    m.restic.restore_result = base::fail(fault_code::disk_full, "no room");
    EXPECT_EQ(restore()->state.fault->message, "no room, into /restored");
    EXPECT_EQ(fault_of(restore()), "disk-full");
    EXPECT_EQ(m.state(domain::job::restore)->fault->code, "disk-full");
    EXPECT_EQ(m.server.reports.back().status, domain::run_status::failure);
}

// ---- looking

TEST_F(restoring, a_dump_is_asked_for_by_its_name_or_its_id)
{
    m.restic.dumps_result = std::vector{snapshot('d', "2026-11-22T18:00:00Z")};
    options.snapshot = "latest";
    ASSERT_FALSE(restore()->fault);
    EXPECT_EQ(m.restic.restores.back().snapshot_id, std::string(64, 'b')) << "latest means files";
    options.dump = "orders";
    ASSERT_FALSE(restore()->fault);
    EXPECT_EQ(m.restic.restores.back().snapshot_id, std::string(64, 'd'));
    EXPECT_EQ(m.restic.scopes.back().tag, "xentz-dump=orders");
    options.dump.reset();
    options.snapshot = "dddd";
    ASSERT_FALSE(restore()->fault);
    EXPECT_EQ(m.restic.restores.back().snapshot_id, std::string(64, 'd'));
    m.restic.dumps_result = std::vector<engine::snapshot>{};
    options.dump = "nothing";
    EXPECT_EQ(message_of(restore()), "this machine has no snapshot of the dump nothing");
}

TEST_F(restoring, snapshots_are_this_machines)
{
    m.restic.dumps_result = std::vector{snapshot('d', "2026-11-20T18:00:00Z")};
    const auto all = list_snapshots(m.env, {});
    ASSERT_TRUE(all) << all.error().message;
    EXPECT_EQ(all->size(), 3U);
    EXPECT_EQ((*all)[1].id, std::string(64, 'd')) << "by their times";
    EXPECT_EQ(m.restic.scopes.at(0).host, "web1");
    EXPECT_EQ(m.restic.scopes.at(0).tag, "xentz");
    EXPECT_EQ(m.restic.scopes.at(1).tag, "xentz-dump");
    EXPECT_TRUE(m.server.reports.empty());
    EXPECT_FALSE(m.exists(m.env.home.state("restore")));
}

TEST_F(restoring, the_files_of_a_snapshot_are_listed_one_by_one)
{
    m.restic.list_result = std::vector<engine::node>{{.path = "/srv/a", .type = "file", .size = 5}};
    std::vector<std::string> seen;
    const auto r = list_files(m.env, "latest", "/", [&](const engine::node& n) { seen.push_back(n.path); }, {});
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(seen, std::vector<std::string>{"/srv/a"});
    EXPECT_EQ(m.restic.listed, std::vector<std::string>{std::string(64, 'b')});
    EXPECT_EQ(code_of(list_files(m.env, "ffff", "/", [](const auto&) {}, {})), "snapshot-missing");
}

TEST_F(restoring, looking_says_what_is_missing)
{
    m.server.repository_status = 404;
    EXPECT_EQ(code_of(list_snapshots(m.env, {})), "repository-missing");
    m.server.repository_status = 0;
    EXPECT_EQ(code_of(list_snapshots(m.env, {})), "repository-unreachable");
    m.server.how = plane::revokes;
    EXPECT_EQ(code_of(list_snapshots(m.env, {})), "device-revoked");
    machine bare;
    EXPECT_EQ(code_of(list_snapshots(bare.env, {})), "config-missing");
}

} // namespace
} // namespace xentz::agent
