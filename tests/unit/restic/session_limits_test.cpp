// What a session hands on to the processes that it starts, and when it ends them itself.
#include "unit/restic/session_fixture.hpp"

#include "fakes/fake_clock.hpp"

namespace xentz::restic {
namespace {

using namespace std::chrono_literals;
using base::fault_code;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class a_limited_session : public a_session {
protected:
    void open_with(const std::string& version, engine::repository r)
    {
        start(version);
        r.address = address;
        r.password_file = "/etc/pw";
        session = std::move(*engine->open(r));
    }
};

TEST_F(a_limited_session, hands_on_descriptors_priorities_and_who_wants_to_know)
{
    std::vector<std::int64_t> told;
    open_with("0.18.0", {.options = {.cpu_priority = "idle", .io_priority = "low"},
                         .inherited = {7, 9},
                         .on_process = [&](std::int64_t id) { told.push_back(id); }});
    runner.script.push_back(capture("0.18.0", "09-backup-first"));
    ASSERT_TRUE(back_up());
    const auto& c = runner.commands.back();
    EXPECT_THAT(c.inherited, ElementsAre(7, 9));
    EXPECT_EQ(c.cpu, os::priority::idle);
    EXPECT_EQ(c.disk, os::priority::low);
    ASSERT_TRUE(runner.limits.back().on_start);
    runner.limits.back().on_start(4711);
    EXPECT_THAT(told, ElementsAre(4711));
}

TEST_F(a_limited_session, has_ordinary_priorities_where_nothing_else_is_wanted)
{
    runner.script.push_back(prints("[]\n"));
    ASSERT_TRUE(session->snapshots(ours, {}));
    EXPECT_EQ(runner.commands.back().cpu, os::priority::normal);
    EXPECT_EQ(runner.commands.back().disk, os::priority::normal);
}

TEST_F(a_limited_session, ends_no_later_than_its_options_allow)
{
    open_with("0.18.0", {.options = {.longest_run_minutes = 90}});
    runner.script.push_back(prints("[]\n"));
    runner.script.push_back(capture("0.18.0", "34-check"));
    ASSERT_TRUE(session->snapshots(ours, {}));
    ASSERT_TRUE(session->check(engine::no_data, {}));
    EXPECT_EQ(runner.limits[1].longest, 90min);
    EXPECT_EQ(runner.limits[2].longest, 90min);
    open_with("0.18.0", {.options = {.longest_run_minutes = 10'000}});
    runner.script.push_back(capture("0.18.0", "34-check"));
    ASSERT_TRUE(session->check(engine::no_data, {}));
    EXPECT_EQ(runner.limits.back().longest, 5h) << "the engine's own limit is shorter";
}

TEST_F(a_limited_session, leaves_out_what_its_restic_does_not_know_and_says_so)
{
    const engine::repository r{.options = {.read_concurrency = 4, .pack_size_mib = 32}};
    open_with("0.14.0", r);
    EXPECT_THAT(session->unsupported(), IsEmpty()) << "not known before the version is";
    runner.script.push_back(capture("0.14.0", "09-backup-first"));
    ASSERT_TRUE(back_up());
    EXPECT_THAT(session->unsupported(), ElementsAre("restic.read_concurrency"));
    EXPECT_THAT(runner.commands.back().args, Not(Contains("--read-concurrency")));
    EXPECT_THAT(runner.commands.back().args, Contains("--pack-size"));
    open_with("0.18.0", r);
    runner.script.push_back(capture("0.18.0", "09-backup-first"));
    ASSERT_TRUE(back_up());
    EXPECT_THAT(session->unsupported(), IsEmpty());
    EXPECT_THAT(runner.commands.back().args, Contains("--read-concurrency"));
}

TEST_F(a_limited_session, names_the_exclude_file_that_is_missing)
{
    const auto file = scratch.path() / "patterns";
    open_with("0.14.0", {.options = {.exclude_files = std::vector{file.string()}}});
    const auto r = back_up();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::config_invalid);
    EXPECT_THAT(r.error().message, testing::HasSubstr(file.string()));
    std::ofstream{file} << "*.tmp\n";
    runner.script.push_back(capture("0.14.0", "09-backup-first"));
    ASSERT_TRUE(back_up());
    EXPECT_THAT(runner.commands.back().args, Contains("--exclude-file=" + file.string()));
}

TEST_F(a_limited_session, gives_up_a_server_that_cannot_be_reached)
{
    auto clock = std::make_shared<fakes::fake_clock>();
    engine = make_restic_engine({.program = "/opt/xentz-test/no-such-folder/restic",
                                 .runtime_directory = scratch.path() / "run",
                                 .longest_opening = 30s,
                                 .clock = clock},
                                runner);
    session = std::move(*engine->open({.address = address, .password_file = "/etc/pw"}));
    auto run = capture("0.18.0", "104-rest-server-gone");
    run.end = {.exit_code = 0};
    runner.script.push_back(run);
    const auto r = session->repository_id({});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::repository_unreachable);
    EXPECT_TRUE(runner.interrupted);
    EXPECT_TRUE(base::may_retry(r.error().code));
}

TEST_F(a_limited_session, tells_a_stop_from_outside_from_its_own)
{
    std::stop_source stop;
    runner.script.push_back(capture("0.14.0", "09-backup-first"));
    const auto r = session->backup(
        {.scope = ours, .include = {"/srv"}}, [&](const engine::progress&) { stop.request_stop(); }, stop.get_token());
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::interrupted);
    EXPECT_TRUE(runner.interrupted);
}

} // namespace
} // namespace xentz::restic
