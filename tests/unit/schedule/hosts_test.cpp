#include "schedule/crontab.hpp"
#include "schedule/host.hpp"
#include "schedule/systemd_units.hpp"

#include "fakes/memory_files.hpp"
#include "unit/schedule/specs.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace xentz::schedule {
namespace {

using base::fault_code;
using ::testing::HasSubstr;

// Schedulers as they behave when they are asked, without any of them.
struct scheduler_tools final : os::process_runner {
    os::files& files;
    std::vector<std::string> calls;
    std::map<std::string, bool> active; // of units
    std::string crontab;
    bool deaf = false;                         // every call fails
    bool forgetful_cron = false;               // says yes and keeps what it had
    bool loses_timers = false;                 // says yes and starts nothing
    std::map<std::string, std::string> loaded; // launchd, Task Scheduler

    explicit scheduler_tools(os::files& f) : files(f) {}

    base::result<os::process_end> run(const os::command& c, const os::process_limits&, std::stop_token,
                                      const os::line_sink& out, const os::line_sink& err) override
    {
        auto call = c.program.filename().string();
        for (const auto& arg : c.args) call += " " + arg;
        calls.push_back(call);
        if (deaf) {
            err("it is deaf");
            return os::process_end{.exit_code = 1};
        }
        return os::process_end{.exit_code = act(c, out, err)};
    }

private:
    int act(const os::command& c, const os::line_sink& out, const os::line_sink& err)
    {
        const auto tool = c.program.filename().string();
        const auto has = [&](std::string_view word) { return std::ranges::find(c.args, word) != c.args.end(); };
        if (tool == "systemctl") return systemctl(c, has, out);
        if (tool == "sh") {
            if (crontab.empty()) {
                err("no crontab for somebody");
                return 1;
            }
            return os::write_atomic(files, c.args.back(), crontab) ? 0 : 1;
        }
        if (tool == "crontab") {
            if (forgetful_cron) return 0;
            crontab = has("-r") ? "" : *os::read_all(files, c.args.back(), 1 << 20);
            return 0;
        }
        if (has("bootstrap") || has("/Create")) loaded[has("/Create") ? c.args[2] : c.args.back()] = c.args.back();
        if (has("bootout"))
            std::erase_if(loaded, [&](const auto& l) { return l.first.ends_with(label(c.args.back()) + ".plist"); });
        if (has("/Delete")) loaded.erase(c.args[2]);
        if (has("/Query")) return loaded.contains(c.args[2]) ? 0 : 1;
        if (has("print"))
            return std::ranges::any_of(
                       loaded, [&](const auto& l) { return l.first.ends_with(label(c.args.back()) + ".plist"); })
                       ? 0
                       : 113;
        return 0;
    }

    static std::string label(const std::string& service) { return service.substr(service.rfind('/') + 1); }

    template <class Has>
    int systemctl(const os::command& c, Has has, const os::line_sink& out)
    {
        for (const auto& arg : c.args) {
            if (!arg.ends_with(".timer")) continue;
            if (has("restart") && !loses_timers) active[arg] = true;
            if (has("disable")) active.erase(arg);
            if (!has("show")) continue;
            out("Id=" + arg);
            out("NextElapseUSecRealtime=" + std::string{active[arg] ? "@1795458665" : ""});
            out(std::string{"ActiveState="} + (active[arg] ? "active" : "inactive"));
            out("");
        }
        return 0;
    }
};

struct desk {
    fakes::memory_files files;
    scheduler_tools tools{files};
    surroundings around{.files = files,
                        .processes = tools,
                        .find_program = [this](std::string_view name) -> base::result<std::filesystem::path> {
                            if (std::ranges::find(missing, name) != missing.end())
                                return base::fail(fault_code::not_found, "");
                            return std::filesystem::path{"/usr/bin"} / name;
                        },
                        .platform = "linux",
                        .user_home = "/home/ada",
                        .user = "ada",
                        .user_id = 1000,
                        .folder = "/home/ada/.xentz-agent/schedule"};
    std::vector<std::string> missing;

    void has(const std::string& path, const std::string& text = "x")
    {
        ASSERT_TRUE(os::create_directories(files, std::filesystem::path{path}.parent_path()));
        ASSERT_TRUE(os::write_atomic(files, path, text));
    }
    void systemd_runs() { ASSERT_TRUE(os::create_directories(files, "/run/systemd/system")); }
    void cron_runs()
    {
        has("/run/crond.pid", "4711\n");
        has("/proc/4711/stat");
    }
    std::size_t names_in(const std::string& folder)
    {
        std::size_t n = 0;
        (void)files.list(folder, [&](const os::directory_entry&) {
            ++n;
            return true;
        });
        return n;
    }
};

timer_set wanted(const std::string& daily_at = "02:00")
{
    domain::schedule s;
    s.daily_at = daily_at;
    return test::timers(s, test::plain_command());
}

using make_host = std::unique_ptr<scheduler_host> (*)(const surroundings&);

// What every host has to hold (schedule/host.hpp).
class Hosts : public ::testing::TestWithParam<make_host> {
protected:
    desk d;
    std::unique_ptr<scheduler_host> host = GetParam()(d.around);
};

TEST_P(Hosts, InstallsIsIdempotentChangesAndRemoves)
{
    const auto before = host->look(wanted());
    ASSERT_TRUE(before) << before.error().message;
    EXPECT_EQ(before->presence, presence::absent);
    EXPECT_FALSE(before->difference.empty());

    ASSERT_TRUE(host->apply(wanted()));
    EXPECT_EQ(host->look(wanted())->presence, presence::as_wanted);
    EXPECT_TRUE(host->look(wanted())->difference.empty());
    EXPECT_EQ(host->look(wanted("14:00"))->presence, presence::different);
    EXPECT_FALSE(host->look(wanted("14:00"))->difference.empty());

    d.tools.calls.clear();
    ASSERT_TRUE(host->apply(wanted()));
    for (const auto& call : d.tools.calls)
        EXPECT_TRUE(call.contains("show") || call.contains("-l") || call.contains("print") || call.contains("/Query"))
            << "a second time only looks: " << call;

    ASSERT_TRUE(host->apply(wanted("14:00")));
    EXPECT_EQ(host->look(wanted("14:00"))->presence, presence::as_wanted);
    ASSERT_TRUE(host->remove(""));
    EXPECT_EQ(host->look(wanted("14:00"))->presence, presence::absent);
    ASSERT_TRUE(host->remove("")) << "nothing to remove is no fault";
}

TEST_P(Hosts, LeaveAnotherAgentAlone)
{
    auto other = wanted();
    other.instance = "0a1b2c3d";
    ASSERT_TRUE(host->apply(other));
    ASSERT_TRUE(host->apply(wanted()));
    ASSERT_TRUE(host->remove(""));
    EXPECT_EQ(host->look(other)->presence, presence::as_wanted);
}

TEST_P(Hosts, SayWhatTheSchedulerSaidWhereItRefuses)
{
    d.tools.deaf = true;
    const auto done = host->apply(wanted());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, fault_code::scheduler_failed);
    EXPECT_THAT(done.error().message, HasSubstr("it is deaf"));
    EXPECT_FALSE(done.error().remedy.empty());
}

INSTANTIATE_TEST_SUITE_P(All, Hosts,
                         ::testing::Values(make_systemd_host, make_cron_host, make_launchd_host,
                                           make_task_scheduler_host));

TEST(SystemdHost, SaysWhenTheTimersComeNext)
{
    desk d;
    const auto host = make_systemd_host(d.around);
    ASSERT_TRUE(host->apply(wanted()));
    const auto next = host->look(wanted())->next;
    EXPECT_EQ(next.size(), 3U);
    EXPECT_EQ(next.at(task::backup), base::time_point{std::chrono::seconds{1795458665}});
}

TEST(SystemdHost, ATimerThatDoesNotRunIsADifference)
{
    desk d;
    const auto host = make_systemd_host(d.around);
    ASSERT_TRUE(host->apply(wanted()));
    d.tools.active.erase("xentz-agent-run-due.timer");
    const auto now = host->look(wanted());
    EXPECT_EQ(now->presence, presence::different);
    EXPECT_EQ(now->difference, "xentz-agent-run-due.timer is not running");
    ASSERT_TRUE(host->apply(wanted()));
    EXPECT_EQ(host->look(wanted())->presence, presence::as_wanted);
}

TEST(SystemdHost, BelievesNothingThatItDoesNotSee)
{
    desk d;
    d.tools.loses_timers = true;
    const auto done = make_systemd_host(d.around)->apply(wanted());
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("did not take the timers"));
}

TEST(SystemdHost, AJobThatIsNoLongerAskedForLosesItsTimer)
{
    desk d;
    const auto host = make_systemd_host(d.around);
    ASSERT_TRUE(host->apply(test::timers(test::every_job(), test::plain_command())));
    EXPECT_EQ(d.names_in("/home/ada/.config/systemd/user"), 8U);
    ASSERT_TRUE(host->apply(wanted()));
    EXPECT_EQ(d.names_in("/home/ada/.config/systemd/user"), 6U);
    EXPECT_FALSE(d.tools.active.contains("xentz-agent-check.timer"));
}

TEST(SystemdHost, RemovesTheFilesAlsoWhereNoManagerAnswers)
{
    desk d;
    const auto host = make_systemd_host(d.around);
    ASSERT_TRUE(host->apply(wanted()));
    d.tools.deaf = true;
    ASSERT_TRUE(host->remove(""));
    EXPECT_EQ(d.names_in("/home/ada/.config/systemd/user"), 0U);
}

TEST(SystemdHost, OfRootWritesTheMachinesUnits)
{
    desk d;
    d.around.user_id = 0;
    const auto host = make_systemd_host(d.around);
    ASSERT_TRUE(host->apply(wanted()));
    EXPECT_EQ(d.names_in("/etc/systemd/system"), 6U);
    EXPECT_FALSE(d.tools.calls.back().contains("--user"));
    EXPECT_EQ(host->caveat(), "");
}

TEST(SystemdHost, SaysThatRunsNeedALogInUnlessTheUserLingers)
{
    desk d;
    const auto host = make_systemd_host(d.around);
    EXPECT_THAT(host->caveat(), HasSubstr("only while ada is logged in"));
    EXPECT_THAT(host->caveat(), HasSubstr("loginctl enable-linger ada"));
    d.has("/var/lib/systemd/linger/ada");
    EXPECT_EQ(host->caveat(), "");
}

TEST(CronHost, KeepsForeignLinesAndTakesAnEmptyCrontabAway)
{
    desk d;
    d.tools.crontab = "MAILTO=x\r\n1 2 * * * y\n";
    const auto host = make_cron_host(d.around);
    ASSERT_TRUE(host->apply(wanted()));
    EXPECT_TRUE(d.tools.crontab.starts_with("MAILTO=x\r\n1 2 * * * y\n# >>> xentz-agent"));
    ASSERT_TRUE(host->remove(""));
    EXPECT_EQ(d.tools.crontab, "MAILTO=x\r\n1 2 * * * y\n");
    d.tools.crontab.clear();
    ASSERT_TRUE(host->apply(wanted()));
    ASSERT_TRUE(host->remove(""));
    EXPECT_EQ(d.tools.calls[d.tools.calls.size() - 2], "crontab -r");
}

TEST(CronHost, ChangesNothingWhereTheListingIsNotTheCrontab)
{
    desk d;
    d.tools.crontab = "# theirs\\r\n"; // as `crontab -l` shows a carriage return
    const auto done = make_cron_host(d.around)->apply(wanted());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, fault_code::conflict);
    EXPECT_EQ(d.tools.crontab, "# theirs\\r\n");
}

TEST(CronHost, BelievesNothingThatItDoesNotSee)
{
    desk d;
    d.tools.forgetful_cron = true;
    const auto done = make_cron_host(d.around)->apply(wanted());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, fault_code::scheduler_failed);
}

TEST(Choice, AutoTakesSystemdThenCronAndSaysWhy)
{
    desk d;
    d.cron_runs();
    auto chosen = choose_host("auto", d.around);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->host->name(), "cron");
    EXPECT_EQ(chosen->why, "systemd does not run this machine, and cron runs here");
    d.systemd_runs();
    chosen = choose_host("auto", d.around);
    EXPECT_EQ(chosen->host->name(), "systemd");
    d.tools.deaf = true;
    chosen = choose_host("auto", d.around);
    EXPECT_EQ(chosen->host->name(), "cron");
    EXPECT_EQ(chosen->why, "the systemd of user ada does not answer: it is deaf, and cron runs here");
}

TEST(Choice, WithoutASchedulerSaysWhatIsMissing)
{
    desk d;
    d.missing = {"crontab"};
    auto chosen = choose_host("auto", d.around);
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().code, fault_code::scheduler_missing);
    EXPECT_THAT(chosen.error().message, HasSubstr("there is no program crontab"));
    d.missing.clear();
    d.has("/run/crond.pid", "4711\n"); // of a daemon that is gone
    chosen = choose_host("auto", d.around);
    EXPECT_THAT(chosen.error().message, HasSubstr("no cron daemon runs"));
}

TEST(Choice, AWishIsFulfilledOrRefusedNeverReplaced)
{
    desk d;
    for (const auto* wish : {"systemd", "cron", "launchd", "task-scheduler"}) {
        const auto chosen = choose_host(wish, d.around);
        ASSERT_FALSE(chosen) << wish;
        EXPECT_EQ(chosen.error().code, fault_code::scheduler_missing);
    }
    EXPECT_EQ(choose_host("at", d.around).error().code, fault_code::usage);
    d.systemd_runs();
    EXPECT_EQ(choose_host("systemd", d.around)->host->name(), "systemd");
    d.around.platform = "macos";
    EXPECT_EQ(choose_host("auto", d.around)->host->name(), "launchd");
    d.around.platform = "windows";
    EXPECT_EQ(choose_host("auto", d.around)->host->name(), "task-scheduler");
}

} // namespace
} // namespace xentz::schedule
