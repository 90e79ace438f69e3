#include "agent/exit_code.hpp"
#include "agent/plan.hpp"
#include "agent/preflight.hpp"
#include "machine.hpp"

#include <map>

namespace xentz::agent {
namespace {

effective_config of_server()
{
    effective_config e;
    e.origin = config_origin::server;
    e.config = control_plane_model{}.config;
    return e;
}

const home somewhere{.folder = "/var/lib/xentz-agent", .config = "/etc/xentz-agent/config.json"};

TEST(plan, a_backup_is_scoped_to_this_machine_and_leaves_out_the_agents_own_folder)
{
    local_config local;
    local.host = "web1";
    const auto r = plan_backup(local, of_server(), somewhere);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->scope.host, "web1");
    EXPECT_EQ(r->scope.tag, "xentz");
    EXPECT_EQ(r->include, std::vector<std::string>{"/srv"});
    EXPECT_EQ(r->exclude, (std::vector<std::string>{"*.tmp", "/proc", "/sys", "/dev", "/var/lib/xentz-agent"}));
}

TEST(plan, the_agents_folder_is_left_out_whatever_its_name_is)
{
    const auto r = plan_backup({}, of_server(), {.folder = "/home/an[n]a*/.xentz-agent", .config = {}});
    ASSERT_TRUE(r);
    EXPECT_EQ(r->exclude.back(), R"(/home/an\[n]a\*/.xentz-agent)");
}

TEST(plan, what_the_kernel_makes_up_is_left_out_unless_somebody_named_a_folder_there)
{
    auto e = of_server();
    e.config.include = {"/", "/dev/shm/work", "/procession"};
    e.config.exclude = {"/sys"};
    const auto r = plan_backup({}, e, somewhere);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->exclude, (std::vector<std::string>{"/sys", "/proc", "/var/lib/xentz-agent"}));
}

TEST(plan, nothing_runs_while_disabled)
{
    auto e = of_server();
    e.config.enabled = false;
    EXPECT_EQ(code_of(plan_backup({}, e, somewhere)), "disabled");
    EXPECT_EQ(code_of(plan_retention(e)), "disabled");
    EXPECT_EQ(check_enabled(e).error().message, "the control plane has disabled this device");
    e.origin = config_origin::local;
    EXPECT_EQ(check_enabled(e).error().message, "this agent is disabled in its config.json");
}

TEST(plan, a_backup_of_nothing_is_refused_with_what_to_do)
{
    auto e = of_server();
    e.config.include.clear();
    const auto managed = plan_backup({}, e, somewhere);
    EXPECT_EQ(code_of(managed), "config-invalid");
    EXPECT_NE(managed.error().remedy.find("policy"), std::string::npos);
    e.origin = config_origin::local;
    EXPECT_NE(plan_backup({}, e, somewhere).error().remedy.find("config.json"), std::string::npos);
}

TEST(plan, a_folder_that_an_exclude_takes_away_is_told)
{
    engine::backup_request r;
    r.include = {"/srv/www", "/tmp", "/tmpfiles", "/home"};
    r.exclude = {"/srv/", "/tmp", "*.tmp", "home", "/home/anna"};
    EXPECT_EQ(excluded_includes(r),
              (std::vector<std::string>{"nothing of /srv/www is backed up: it is excluded by /srv/",
                                        "nothing of /tmp is backed up: it is excluded by /tmp"}));
}

TEST(plan, retention_runs_by_the_configs_rules)
{
    const auto r = plan_retention(of_server());
    ASSERT_TRUE(r);
    EXPECT_EQ(r->keep_daily, 7U);
}

TEST(plan, retention_that_would_keep_nothing_never_runs)
{
    auto e = of_server();
    e.config.retention = {};
    EXPECT_EQ(code_of(plan_retention(e)), "retention-empty");
    e.config.retention.keep_within = "0d";
    EXPECT_EQ(code_of(plan_retention(e)), "retention-empty");
}

TEST(plan, retention_never_runs_by_a_cached_policy_where_the_server_refused_the_current_one)
{
    auto e = of_server();
    e.origin = config_origin::cache;
    for (const auto code : {fault_code::server_refused, fault_code::content_refused, fault_code::config_refused}) {
        e.fetch_fault = base::fault{code, "unknown device key", "Ask"};
        const auto r = plan_retention(e);
        EXPECT_EQ(code_of(r), "server-refused");
        EXPECT_NE(r.error().message.find("unknown device key"), std::string::npos);
    }
    for (const auto code : {fault_code::network_unreachable, fault_code::network_timeout, fault_code::tls_failed,
                            fault_code::server_failed, fault_code::protocol_error}) {
        e.fetch_fault = base::fault{code, "away", ""};
        EXPECT_EQ(code_of(plan_retention(e)), "done") << base::name(code);
    }
}

// ---- is there a repository?

struct preflight : testing::Test {
    fakes::fake_network network;
    std::unique_ptr<http::client> client = network.connect({});
    fakes::fake_engine restic;
    std::unique_ptr<engine::session> session = *restic.open({});
    std::string address = "rest:https://dev_1:credential@repo.example.com/repo/ten_1/dev_1/default/";

    fakes::memory_files files;

    base::result<repository_look> ask(fakes::http_answer a)
    {
        network.answers = {std::move(a)};
        return look_at_repository(files, address, *client, *session, {});
    }
    bool present(fakes::http_answer a) { return ask(std::move(a)).value().present; }
};

TEST_F(preflight, asks_for_the_repositorys_config_with_its_credential)
{
    EXPECT_TRUE(present(fakes::answer(200)));
    const auto& sent = network.requests.back();
    EXPECT_EQ(sent.method, "GET");
    EXPECT_EQ(sent.url, "https://repo.example.com/repo/ten_1/dev_1/default/config");
    EXPECT_EQ(sent.timeout, std::chrono::seconds{10}); // a run must not wait longer for the answer to a small question
    EXPECT_EQ(sent.basic->user, "dev_1");
    EXPECT_EQ(sent.basic->password, "credential");
    address = "rest:http://127.0.0.1:8000/x";
    EXPECT_FALSE(present(fakes::answer(404)));
    EXPECT_EQ(network.requests.back().url, "http://127.0.0.1:8000/x/config");
    EXPECT_FALSE(network.requests.back().basic);
    EXPECT_TRUE(restic.calls.empty());
}

TEST_F(preflight, tells_repositories_apart_and_the_servers_time)
{
    const auto look = ask(fakes::answer(200, "one", {{"Date", "Mon, 23 Nov 2026 18:31:05 GMT"}}));
    EXPECT_EQ(look->server_time, time_at("2026-11-23T18:31:05Z"));
    EXPECT_EQ(look->fingerprint, ask(fakes::answer(200, "one"))->fingerprint);
    EXPECT_NE(look->fingerprint, ask(fakes::answer(200, "two"))->fingerprint);
    EXPECT_FALSE(ask(fakes::answer(200, "one"))->server_time);
}

TEST_F(preflight, every_answer_has_a_meaning)
{
    const std::map<int, std::string> faults = {{401, "repository-refused"},     {403, "repository-refused"},
                                               {301, "repository-unavailable"}, {400, "repository-unavailable"},
                                               {429, "repository-unavailable"}, {500, "repository-unavailable"},
                                               {503, "repository-unavailable"}, {507, "repository-unavailable"}};
    for (const auto& [status, fault] : faults) EXPECT_EQ(code_of(ask(fakes::answer(status))), fault) << status;
    EXPECT_EQ(code_of(ask(fakes::no_network())), "repository-unreachable");
    EXPECT_EQ(code_of(ask(base::fail(fault_code::network_timeout, "x"))), "repository-unreachable");
    EXPECT_EQ(code_of(ask(base::fail(fault_code::tls_failed, "x"))), "tls-failed");
    EXPECT_EQ(code_of(ask(base::fail(fault_code::interrupted, "x"))), "interrupted");
    address = "rest:nowhere";
    EXPECT_EQ(code_of(ask(fakes::answer(200))), "config-invalid");
}

TEST_F(preflight, no_fault_repeats_the_credential)
{
    for (const auto& a : {fakes::answer(401), fakes::answer(503), fakes::no_network()})
        EXPECT_EQ(base::sentence(ask(a).error()).find("credential@"), std::string::npos);
}

TEST_F(preflight, a_folder_of_this_machine_is_looked_into_without_restic)
{
    address = "/mnt/disk/repository";
    ASSERT_TRUE(os::create_directories(files, address));
    ASSERT_TRUE(os::write_atomic(files, address + "/config", "one"));
    const auto look = ask(fakes::no_network());
    EXPECT_TRUE(look->present);
    EXPECT_EQ(look->fingerprint, ask(fakes::answer(200))->fingerprint);
    EXPECT_TRUE(restic.calls.empty());
    address = "rest:http://127.0.0.1:8000/x";
    EXPECT_EQ(look->fingerprint, ask(fakes::answer(200, "one"))->fingerprint);
}

TEST_F(preflight, other_back_ends_are_asked_through_the_engine)
{
    for (const auto* other : {"/mnt/not-there", "sftp:host:/srv/restic"}) {
        address = other;
        restic.calls.clear();
        restic.repository_id_result = std::string(64, 'a');
        EXPECT_EQ(ask(fakes::no_network())->id, std::string(64, 'a'));
        EXPECT_EQ(restic.calls, std::vector<std::string>{"repository_id"});
        restic.repository_id_result = base::fail(fault_code::repository_missing, "none");
        EXPECT_FALSE(present(fakes::no_network()));
        for (const auto code :
             {fault_code::wrong_password, fault_code::repository_unreachable, fault_code::restic_failed}) {
            restic.repository_id_result = base::fail(code, "x");
            EXPECT_EQ(ask(fakes::no_network()).error().code, code);
        }
    }
    EXPECT_TRUE(network.requests.empty());
}

TEST(address, is_shown_without_its_credential)
{
    EXPECT_EQ(without_credential("rest:https://dev_1:secret@h.example/repo/"), "rest:https://h.example/repo/");
    EXPECT_EQ(without_credential("rest:http://h:8000/"), "rest:http://h:8000/");
    EXPECT_EQ(without_credential("https://u:p@h/x"), "https://h/x");
    EXPECT_EQ(without_credential("/mnt/disk"), "/mnt/disk");
    EXPECT_EQ(without_credential("sftp:user@host:/srv/restic"), "sftp:user@host:/srv/restic");
    EXPECT_EQ(without_credential("s3:s3.amazonaws.com/bucket"), "s3:s3.amazonaws.com/bucket");
    EXPECT_EQ(without_credential(""), "");
    // Malformed ones are not taken apart, but hold one all the same.
    for (const auto* malformed : {"rest:http://u:secret@h:99999/", "rest:http://u:%zzsecret@h/",
                                  "rest:http://u:secret@h h/", "rest:ftp://u:secret@h/"})
        EXPECT_EQ(without_credential(malformed).find("secret"), std::string::npos) << malformed;
}

// ---- exit codes, as docs/exit-codes.md promises

TEST(exit_code, of_every_fault)
{
    const std::map<fault_code, int> other_than_failed = {{fault_code::usage, 2},
                                                         {fault_code::target_not_empty, 2},
                                                         {fault_code::config_missing, 4},
                                                         {fault_code::config_invalid, 4},
                                                         {fault_code::run_locked, 5},
                                                         {fault_code::repository_locked, 5},
                                                         {fault_code::disabled, 6},
                                                         {fault_code::device_revoked, 6},
                                                         {fault_code::repository_unreachable, 7},
                                                         {fault_code::repository_unavailable, 7},
                                                         {fault_code::wrong_password, 8},
                                                         {fault_code::password_missing, 8},
                                                         {fault_code::repository_refused, 8},
                                                         {fault_code::repository_damaged, 9},
                                                         {fault_code::restore_differs, 9},
                                                         {fault_code::interrupted, 130}};
    for (int i = 0; i <= static_cast<int>(fault_code::invalid_value); ++i) {
        const auto code = static_cast<fault_code>(i);
        const auto at = other_than_failed.find(code);
        EXPECT_EQ(exit_code_of(base::fault{code, "", ""}), at == other_than_failed.end() ? 1 : at->second)
            << base::name(code);
    }
}

TEST(exit_code, of_a_run)
{
    EXPECT_EQ(exit_code_of(domain::run_status::success), 0);
    EXPECT_EQ(exit_code_of(domain::run_status::partial), 3);
    EXPECT_EQ(exit_code_of(domain::run_status::failure), 1);
}

} // namespace
} // namespace xentz::agent
