#include "agent/doctor_findings.hpp"
#include "machine.hpp"

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;
using enum finding_state;

const base::time_point now = time_at("2026-11-23T18:31:05Z");
const base::fault away{fault_code::network_unreachable, "no connection to cp.example.com:443", "Check the network"};

// "problem: MESSAGE / REMEDY"
std::string text(const finding& f)
{
    return std::string{name(f.state)} + ": " + f.message + (f.remedy.empty() ? "" : " / " + f.remedy);
}

effective_config of_server()
{
    return {.origin = config_origin::server, .config = control_plane_model{}.config, .fetched_at = now};
}
effective_config of_cache(std::chrono::seconds age, const base::fault& why)
{
    return {.origin = config_origin::cache,
            .config = control_plane_model{}.config,
            .fetched_at = now - age,
            .fetch_fault = why};
}

TEST(doctor_finding, whoever_has_a_problem_is_told_what_to_do)
{
    const auto missing = findings::engine(base::fail(fault_code::restic_missing, "no restic", "Install it"), "restic");
    EXPECT_EQ(text(missing), "problem: no restic / Install it");
    EXPECT_EQ(text(findings::engine("0.14.0", "restic")), "good: restic 0.14.0 is there");
}

TEST(doctor_finding, of_the_rights_on_the_agents_files)
{
    using findings::file_rights;
    EXPECT_EQ(findings::permissions({{"/h", 0700}, {"/h/config.json", 0600}}).state, good);
    const auto open = findings::permissions({{"/h", 0755}, {"/h/config.json", 0640}, {"/h/restic.pw", 0600}});
    EXPECT_EQ(open.state, problem);
    EXPECT_NE(open.message.find("/h (0755), /h/config.json (0640)"), std::string::npos) << open.message;
    EXPECT_EQ(open.message.find("restic.pw"), std::string::npos);
    EXPECT_NE(open.remedy.find("chmod go-rwx"), std::string::npos);
    const auto foreign = findings::permissions({{"/h", 0700, false}});
    EXPECT_EQ(foreign.state, warning);
    EXPECT_NE(foreign.remedy.find("chown"), std::string::npos);
}

TEST(doctor_finding, of_a_control_plane_that_is_away)
{
    const auto local = machine{}.enrolled_config();
    EXPECT_EQ(findings::control_plane(local, of_server()).state, good);
    const auto with_cache = findings::control_plane(local, of_cache(1h, away));
    EXPECT_EQ(with_cache.state, warning); // backups go on
    EXPECT_NE(with_cache.message.find("runs use the config of 2026-11-23T17:31:05Z"), std::string::npos);
    const auto without = findings::control_plane(local, base::fail(fault_code::config_missing, "there is no config"));
    EXPECT_EQ(without.state, problem);
    EXPECT_FALSE(without.remedy.empty());
    EXPECT_EQ(findings::device_key(of_cache(1h, away)).state, not_checked);
}

TEST(doctor_finding, of_a_device_key_that_is_refused)
{
    const auto local = machine{}.enrolled_config();
    for (const auto code : {fault_code::token_refused, fault_code::server_refused}) {
        const auto e = of_cache(1h, {code, "unknown device key", "Enrol again"});
        EXPECT_EQ(text(findings::device_key(e)), "problem: unknown device key / Enrol again");
        EXPECT_EQ(findings::control_plane(local, e).state, good); // it answered
    }
    const base::result<effective_config> revoked = base::fail(fault_code::device_revoked, "revoked", "Ask");
    EXPECT_EQ(text(findings::device_key(revoked)), "problem: revoked / Ask");
    EXPECT_EQ(text(findings::config(revoked, now)), "problem: revoked / Ask");
    EXPECT_EQ(findings::device_key(of_server()).state, good);
}

TEST(doctor_finding, of_the_age_of_the_config)
{
    EXPECT_EQ(text(findings::config(of_server(), now)), "good: the config is the server's of now, version v1");
    EXPECT_EQ(findings::config(of_cache(7 * 24h, away), now).state, good);
    const auto old = findings::config(of_cache(7 * 24h + 1s, away), now);
    EXPECT_EQ(old.state, warning);
    EXPECT_NE(old.message.find("7 days ago"), std::string::npos) << old.message;
    EXPECT_FALSE(old.remedy.empty());
    EXPECT_EQ(
        findings::config(of_cache(1h, {fault_code::config_refused, "retention would keep nothing", "Ask"}), now).state,
        problem);
}

TEST(doctor_finding, of_a_switched_off_device)
{
    auto e = of_server();
    EXPECT_EQ(findings::enabled(e).state, good);
    e.config.enabled = false;
    EXPECT_EQ(findings::enabled(e).state, problem);
    EXPECT_FALSE(findings::enabled(e).remedy.empty());
}

TEST(doctor_finding, of_the_clock)
{
    EXPECT_EQ(findings::clock(std::nullopt).state, not_checked);
    EXPECT_EQ(findings::clock(5min).state, good);
    EXPECT_EQ(findings::clock(-5min).state, good);
    EXPECT_EQ(text(findings::clock(-5min - 1s)), "problem: this machine's clock is 5 min 01 s behind the server's / "
                                                 "Set the clock, for example with `timedatectl set-ntp true`");
    EXPECT_NE(findings::clock(2h).message.find("2 h 00 min ahead of the server's"), std::string::npos);
}

TEST(doctor_finding, of_the_repository)
{
    const std::string address = "rest:https://dev_1:secret@h/repo/";
    const std::optional<repository_pin> no_pin;
    const std::optional<repository_pin> pin{{.id = std::string(64, 'a'), .pinned_at = now - 1h}};
    EXPECT_EQ(text(findings::repository(address, repository_look{.present = true}, no_pin, true)),
              "good: the repository rest:https://h/repo/ is there");
    EXPECT_EQ(findings::repository(address, repository_look{}, no_pin, true).state, good);
    EXPECT_NE(findings::repository(address, repository_look{}, no_pin, false).remedy.find("--auto-init"),
              std::string::npos);
    EXPECT_EQ(
        text(findings::repository(address, base::fail(fault_code::repository_refused, "refused", "Ask"), pin, true)),
        "problem: refused / Ask");
    EXPECT_EQ(text(findings::repository(address, repository_look{.present = true},
                                        base::fail(fault_code::config_invalid, "damaged", "Accept"), true)),
              "problem: damaged / Accept");
    const auto vanished = findings::repository(address, repository_look{}, pin, true);
    EXPECT_EQ(vanished.state, problem);
    EXPECT_NE(vanished.message.find("2026-11-23T17:31:05Z"), std::string::npos);
    const auto other = findings::other_repository(address, *pin, std::string(64, 'b'));
    EXPECT_EQ(other.state, problem);
    EXPECT_NE(other.message.find("(bbbbbbbb) than the one that this machine backed up to (aaaaaaaa)"),
              std::string::npos);
}

TEST(doctor_finding, of_the_password)
{
    EXPECT_EQ(findings::password(std::optional<engine::snapshot>{}).state, good);
    engine::snapshot s;
    s.short_id = "5b57749a";
    s.time = "2026-11-23T17:00:00.123456789+01:00";
    EXPECT_NE(findings::password(s).message.find("5b57749a of 2026-11-23T17:00:00"), std::string::npos);
    EXPECT_EQ(text(findings::password(base::fail(fault_code::wrong_password, "wrong", "Put it back"))),
              "problem: wrong / Put it back");
}

TEST(doctor_finding, of_free_space)
{
    const auto state = [](std::uint64_t bytes) { return findings::free_space("space-home", "/h", bytes).state; };
    EXPECT_EQ(state(scarce_free_bytes), good);
    EXPECT_EQ(state(scarce_free_bytes - 1), warning);
    EXPECT_EQ(state(least_free_bytes), warning);
    EXPECT_EQ(state(least_free_bytes - 1), problem);
    EXPECT_EQ(findings::free_space("space-home", "/h", base::fail(fault_code::not_found, "no /h")).state, problem);
}

TEST(doctor_finding, of_what_grows)
{
    EXPECT_EQ(findings::cache(std::uint64_t{3} << 30U, std::uint64_t{4} << 30U).state, good);
    EXPECT_EQ(findings::cache(std::uint64_t{3} << 30U, std::uint64_t{2} << 30U).state, warning);
    EXPECT_EQ(findings::cache(1000, std::uint64_t{0}).state, good); // that little is not what fills the disk
    EXPECT_EQ(findings::logs(most_log_bytes).state, good);
    EXPECT_EQ(findings::logs(most_log_bytes + 1).state, warning);
}

TEST(doctor_finding, of_each_included_path)
{
    using os::readability;
    EXPECT_EQ(text(findings::included("/srv", readability::readable, {})), "good: /srv can be read");
    EXPECT_EQ(findings::included("/srv", readability::missing, {}).message, "/srv does not exist");
    EXPECT_EQ(findings::included("/srv", readability::denied, {}).message, "/srv cannot be read by this user");
    const auto excluded = findings::included("/srv", readability::readable, {"nothing of /srv is backed up"});
    EXPECT_EQ(excluded.state, problem);
    EXPECT_EQ(excluded.message, "nothing of /srv is backed up");
    EXPECT_EQ(findings::nothing_included().state, problem);
    EXPECT_EQ(findings::exclude_file("/x", readability::readable).state, good);
    EXPECT_EQ(findings::exclude_file("/x", readability::missing).state, problem);
}

TEST(doctor_finding, of_the_reports)
{
    EXPECT_EQ(findings::reports(0, 0).state, good);
    EXPECT_EQ(findings::reports(1, 0).message, "1 report waits to be sent");
    EXPECT_EQ(findings::reports(2, 0).message, "2 reports wait to be sent");
    EXPECT_NE(findings::reports(2, 1).remedy.find("spool/rejected"), std::string::npos);
}

TEST(doctor_finding, of_the_run)
{
    EXPECT_EQ(findings::run({}, {}).state, good);
    const base::fault held{fault_code::run_locked, "run.lock is held by backup, process 1", "Wait"};
    EXPECT_EQ(text(findings::run(held, running_marker{})),
              "good: a run is under way: run.lock is held by backup, process 1");
    const auto killed = findings::run({}, running_marker{.started_at = now - 1h});
    EXPECT_EQ(killed.state, warning);
    EXPECT_NE(killed.message.find("the backup of 2026-11-23T17:31:05Z was killed"), std::string::npos);
    EXPECT_EQ(findings::run(base::fault{fault_code::file_failed, "cannot open run.lock", ""}, {}).state, problem);
}

TEST(doctor_finding, of_the_last_results)
{
    using enum domain::job;
    EXPECT_EQ(findings::last_result(backup, {}, now).state, warning);
    EXPECT_EQ(findings::last_result(retention, {}, now).state, good);
    job_state s;
    s.finished_at = now - 2h;
    s.status = domain::run_status::success;
    EXPECT_EQ(text(findings::last_result(backup, s, now)), "good: the last backup was good, 2 h 00 min ago");
    s.status = domain::run_status::failure;
    s.fault = domain::run_fault{"wrong-password", "it does not open", "Put it back", false};
    EXPECT_EQ(text(findings::last_result(backup, s, now)),
              "warning: the last backup failed, 2 h 00 min ago: it does not open / Put it back");
    s.status = domain::run_status::partial;
    EXPECT_NE(findings::last_result(backup, s, now).message.find("was incomplete"), std::string::npos);
}

} // namespace
} // namespace xentz::agent
