#include "agent/doctor.hpp"
#include "machine.hpp"
#include "os/lock.hpp"

#include <map>

namespace xentz::agent {
namespace {

using enum finding_state;

struct examining : testing::Test {
    machine m;
    doctor_probes probes;
    std::map<std::string, os::readability> paths;
    bool ours = true;

    examining()
    {
        m.enrol();
        probes.free_bytes = [](const auto&) { return std::uint64_t{100} << 30U; };
        probes.may_read = [this](const std::filesystem::path& p) {
            const auto at = paths.find(p.string());
            return at == paths.end() ? os::readability::readable : at->second;
        };
        probes.owned_by_this_user = [this](const auto&) { return ours; };
        probes.temporary = "/tmp";
    }
    std::vector<finding> examine() { return agent::examine(m.env, probes, {}); }
    static std::string states(const std::vector<finding>& all, finding_state s)
    {
        std::string out;
        for (const auto& f : all)
            if (f.state == s) out += (out.empty() ? "" : " ") + f.check;
        return out;
    }
    std::string problems() { return states(examine(), problem); }
};

TEST_F(examining, a_machine_that_is_well)
{
    ASSERT_TRUE(m.backup());
    probes.schedule = [] { return finding{"schedule", good, "the next backup is at 02:00", ""}; };
    m.restic.calls.clear();
    const auto all = examine();
    EXPECT_EQ(states(all, problem) + states(all, warning), "");
    EXPECT_FALSE(stops_a_backup(all));
    std::string checks;
    for (const auto& f : all) checks += f.check + " ";
    EXPECT_EQ(checks, "fake config-file permissions space-home space-cache space-temporary cache logs control-plane "
                      "device-key config enabled repository password clock include reports schedule run last-backup ");
    // The one question that costs a derivation of the key, and nothing that takes a lock or changes something.
    EXPECT_EQ(m.restic.calls, std::vector<std::string>{"latest"});
}

TEST_F(examining, a_machine_that_is_not_enrolled)
{
    machine fresh;
    const auto all = agent::examine(fresh.env, probes, {});
    EXPECT_EQ(states(all, problem), "config-file");
    EXPECT_EQ(states(all, not_checked), "config repository password include");
    EXPECT_TRUE(stops_a_backup(all));
    EXPECT_TRUE(fresh.memory.tree().empty());
}

TEST_F(examining, every_problem_is_told_at_once)
{
    m.restic.version_result = base::fail(fault_code::restic_missing, "no restic", "Install it");
    m.server.repository_status = 401;
    paths["/srv"] = os::readability::missing;
    probes.free_bytes = [](const auto&) { return std::uint64_t{1000}; };
    EXPECT_EQ(problems(), "fake space-home space-cache space-temporary repository include");
}

TEST_F(examining, the_servers_clock_is_the_one_that_counts)
{
    const auto usual = m.network.serve;
    m.network.serve = [&](const http::client_request& r) {
        auto answer = usual(r);
        if (answer && *answer) (*answer)->headers.push_back({"Date", "Mon, 23 Nov 2026 19:31:05 GMT"});
        return answer;
    };
    const auto all = examine();
    EXPECT_EQ(states(all, problem), "clock");
    const auto at = std::ranges::find(all, "clock", &finding::check);
    EXPECT_NE(at->message.find("1 h 00 min behind"), std::string::npos) << at->message;
}

TEST_F(examining, a_control_plane_that_is_away_stops_nothing_while_there_is_a_cached_config)
{
    m.server.how = plane::away;
    EXPECT_EQ(problems(), "control-plane config");
    m.server.how = plane::up;
    ASSERT_TRUE(m.backup());
    m.server.how = plane::away;
    const auto all = examine();
    EXPECT_EQ(states(all, problem), "");
    EXPECT_NE(states(all, warning).find("control-plane"), std::string::npos);
}

TEST_F(examining, a_refused_key_and_a_revoked_device)
{
    ASSERT_TRUE(m.backup());
    m.server.how = plane::refuses;
    EXPECT_EQ(problems(), "device-key");
    m.server.how = plane::revokes;
    EXPECT_EQ(problems(), "device-key config");
}

TEST_F(examining, a_switched_off_device)
{
    m.server.config.enabled = false;
    EXPECT_EQ(problems(), "enabled");
}

TEST_F(examining, a_wrong_and_a_missing_password)
{
    m.restic.latest_result = base::fail(fault_code::wrong_password, "it does not open", "Put it back");
    EXPECT_EQ(problems(), "password");
    ASSERT_TRUE(m.memory.remove(m.env.home.password()));
    const auto all = examine();
    EXPECT_EQ(states(all, problem), "password");
    EXPECT_EQ(states(all, not_checked), "repository clock");
}

TEST_F(examining, a_repository_that_is_not_there_is_not_opened)
{
    m.server.repository_status = 404;
    m.restic.calls.clear();
    const auto all = examine();
    EXPECT_EQ(states(all, problem), ""); // the first backup makes it
    EXPECT_TRUE(m.restic.calls.empty());
    EXPECT_NE(states(all, not_checked).find("password"), std::string::npos);
}

TEST_F(examining, a_repository_of_ones_own)
{
    m.set_up(m.legacy_config());
    m.write("/mnt/disk/repository/config", "config-1");
    EXPECT_EQ(problems(), "");
    EXPECT_EQ(m.restic.calls, std::vector<std::string>{"latest"});
    EXPECT_TRUE(m.network.requests.empty());
    m.restic.latest_result = base::fail(fault_code::wrong_password, "it does not open", "");
    EXPECT_EQ(problems(), "password");
    ASSERT_TRUE(m.memory.remove("/mnt/disk/repository/config"));
    m.restic.repository_id_result = base::fail(fault_code::repository_missing, "none", "");
    EXPECT_EQ(problems(), "repository");
    m.restic.repository_id_result = base::fail(fault_code::wrong_password, "it does not open", "");
    EXPECT_EQ(problems(), "repository password");
}

TEST_F(examining, a_repository_that_is_another_one)
{
    ASSERT_TRUE(m.backup());
    m.server.repository_config = "another config";
    EXPECT_EQ(problems(), ""); // restic wrote its config anew, and the id is the same
    m.restic.repository_id_result = std::string(64, 'b');
    EXPECT_EQ(problems(), "repository-identity");
    m.server.repository_status = 404;
    EXPECT_EQ(problems(), "repository");
}

TEST_F(examining, folders_and_exclude_files)
{
    m.server.config.include = {"/srv", "/etc", "/opt"};
    m.server.config.exclude = {"/opt/"};
    m.server.config.restic.exclude_files = {"/etc/excludes"};
    paths["/etc"] = os::readability::denied;
    paths["/etc/excludes"] = os::readability::missing;
    EXPECT_EQ(problems(), "include include exclude-file");
    m.server.config.include.clear();
    m.server.config.restic.exclude_files.reset();
    m.server.etag = "\"v2\"";
    EXPECT_EQ(problems(), "include");
}

TEST_F(examining, a_run_that_was_killed_and_one_that_is_under_way)
{
    ASSERT_TRUE(save_marker(m.env.files, m.env.home, {.started_at = m.clock.now()}));
    EXPECT_NE(states(examine(), warning).find("run"), std::string::npos);
    const auto lock = os::try_lock(m.env.home.lock(), "backup, process 1");
    ASSERT_TRUE(lock);
    const auto all = examine();
    const auto at = std::ranges::find(all, "run", &finding::check);
    EXPECT_EQ(at->state, good);
    EXPECT_NE(at->message.find("backup, process 1"), std::string::npos);
}

TEST_F(examining, shows_no_secret)
{
    m.server.repository_status = 401;
    m.restic.latest_result = base::fail(fault_code::restic_failed, "xdk_device-key-1 credential-1", "");
    for (const auto& f : examine()) {
        EXPECT_EQ(f.message.find("xdk_device"), std::string::npos) << f.message;
        EXPECT_EQ(f.message.find("credential-1"), std::string::npos) << f.message;
    }
}

TEST_F(examining, writes_nothing_but_the_cached_config)
{
    ASSERT_TRUE(m.backup());
    auto before = m.memory.tree();
    examine();
    auto after = m.memory.tree();
    for (const auto& given : {m.env.home.cached_config(), m.env.home.contact()}) {
        before.erase(given.string());
        after.erase(given.string());
    }
    EXPECT_EQ(before, after);
}

} // namespace
} // namespace xentz::agent
