#include "agent/enrolment.hpp"
#include "crypto/secrets.hpp"
#include "fakes/crashing_files.hpp"
#include "machine.hpp"
#include "os/lock.hpp"

#include <sys/stat.h>

#include <map>
#include <set>

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;

// POST /v1/install as the control plane does it: one device for each idempotency key, a new device key each time.
struct install_model {
    std::optional<std::string> password = "server-password";
    bool lose_answer = false;
    std::map<std::string, std::string> devices; // by idempotency key
    std::string current_key;
    std::vector<wire::install_request> requests;

    std::optional<fakes::http_answer> answer(const http::client_request& r)
    {
        if (!r.url.ends_with("/v1/install")) return std::nullopt;
        const auto request = wire::decode<wire::install_request>(r.body);
        if (!request) return fakes::problem(400, "invalid-request", request.error().message);
        requests.push_back(*request);
        const auto& key = *http::find_header(r.headers, "Idempotency-Key");
        const auto device = devices.emplace(key, "dev_" + std::to_string(devices.size() + 1)).first->second;
        current_key = "xdk_" + std::to_string(requests.size());
        if (lose_answer) return fakes::no_network();
        return fakes::answer(200, wire::encode(wire::install_response{.tenant_id = "ten_1",
                                                                      .device_id = device,
                                                                      .device_api_key = current_key,
                                                                      .repo_path = "rest:https://" + device +
                                                                                   ":credential@repo.example.com/repo/",
                                                                      .password = password}));
    }
};

struct enrolling : testing::Test {
    machine m;
    install_model plane;
    enrolment_options options{.server_url = "https://cp.example.com/", .token = "xit_token-1", .include = {"/srv"}};

    enrolling() { serve(m, plane); }

    static void serve(machine& m, install_model& plane)
    {
        m.network.serve = [&](const http::client_request& r) {
            if (auto a = plane.answer(r)) return a;
            return m.server.answer(r);
        };
    }
    base::result<enrolment_result> enrol() { return agent::enrol(m.env, options, {}); }
    local_config stored()
    {
        return load_local_config(m.env.files, m.env.home.config, *m.env.secrets).value_or(local_config{});
    }
    std::string password_file() const { return m.read(m.env.home.password()); }
};

TEST_F(enrolling, makes_the_machine_a_device)
{
    options.user_id = "anna";
    options.exclude = {"*.iso"};
    options.ca_file = "/etc/ca.pem";
    const auto r = enrol();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_FALSE(r->password_made_here);
    EXPECT_FALSE(r->older_password);
    EXPECT_FALSE(r->config_fault);
    EXPECT_EQ(r->folders, 1U);
    const auto c = stored();
    EXPECT_EQ(c.server_url, "https://cp.example.com"); // without the slash
    EXPECT_EQ(c.tenant_id, "ten_1");
    EXPECT_EQ(c.device_id, "dev_1");
    EXPECT_EQ(c.device_api_key, plane.current_key);
    EXPECT_EQ(c.user_id, "anna");
    EXPECT_EQ(c.host, "web1");
    EXPECT_EQ(c.ca_file, "/etc/ca.pem");
    EXPECT_TRUE(c.include.empty()); // the server gives it back with each config
    EXPECT_EQ(c.exclude, std::vector<std::string>{"*.iso"});
    EXPECT_EQ(c.restic.password_file, m.env.home.password());
    EXPECT_EQ(password_file(), "server-password\n");
    EXPECT_FALSE(m.exists(m.env.home.enrolment()));
    EXPECT_TRUE(m.exists(m.env.home.cached_config()));
    EXPECT_EQ(code_of(m.backup()), "done");
}

TEST_F(enrolling, tells_the_server_about_the_machine)
{
    ASSERT_TRUE(enrol());
    const auto& sent = plane.requests.front();
    EXPECT_EQ(sent.user_id, "default");
    EXPECT_EQ(sent.metadata.hostname, "web1");
    EXPECT_FALSE(sent.metadata.os.empty());
    EXPECT_FALSE(sent.metadata.arch.empty());
    EXPECT_EQ(sent.metadata.agent_version, "0.1.0");
    EXPECT_EQ(sent.metadata.restic_version, "0.18.0");
    EXPECT_EQ(sent.include, std::vector<std::string>{"/srv"});
    EXPECT_EQ(*http::find_header(m.network.requests.front().headers, "Authorization"), "Bearer xit_token-1");
    EXPECT_EQ(m.network.requests.front().url, "https://cp.example.com/v1/install");
}

TEST_F(enrolling, needs_no_restic_and_no_folders)
{
    m.restic.version_result = base::fail(fault_code::restic_missing, "none");
    options.include.clear();
    ASSERT_TRUE(enrol());
    EXPECT_FALSE(plane.requests.front().metadata.restic_version);
    EXPECT_FALSE(plane.requests.front().include);
}

TEST_F(enrolling, a_lost_answer_costs_neither_token_nor_device)
{
    plane.lose_answer = true;
    EXPECT_EQ(code_of(enrol()), "network-unreachable");
    EXPECT_FALSE(m.exists(m.env.home.config));
    plane.lose_answer = false;
    ASSERT_TRUE(enrol());
    EXPECT_EQ(plane.devices.size(), 1U);
    EXPECT_EQ(stored().device_api_key, plane.current_key);
}

TEST_F(enrolling, another_token_or_server_is_another_try)
{
    plane.lose_answer = true;
    EXPECT_FALSE(enrol());
    options.token = "xit_token-2";
    EXPECT_FALSE(enrol());
    EXPECT_EQ(plane.devices.size(), 2U);
    options.server_url = "https://other.example.com";
    EXPECT_FALSE(enrol());
    EXPECT_EQ(plane.devices.size(), 3U);
    EXPECT_FALSE(enrol());
    EXPECT_EQ(plane.devices.size(), 3U);
}

TEST_F(enrolling, the_token_is_stored_nowhere)
{
    plane.lose_answer = true;
    EXPECT_FALSE(enrol());
    for (const auto& [name, text] : m.memory.tree()) EXPECT_EQ(text.find("xit_token-1"), std::string::npos) << name;
    EXPECT_NE(m.read(m.env.home.enrolment()).find(crypto::token_hash("xit_token-1")), std::string::npos);
    EXPECT_EQ(m.env.secrets->clean("xit_token-1"), "***");
}

TEST_F(enrolling, a_refused_token_changes_nothing)
{
    m.network.serve = [](const auto&) {
        return fakes::problem(401, "token-used", "install token has been used already");
    };
    const auto r = enrol();
    EXPECT_EQ(code_of(r), "token-refused");
    EXPECT_NE(r.error().message.find("install token has been used already"), std::string::npos);
    EXPECT_FALSE(m.exists(m.env.home.config));
    EXPECT_FALSE(m.exists(m.env.home.password()));
}

TEST_F(enrolling, twice_is_refused_before_anything_is_asked)
{
    ASSERT_TRUE(enrol());
    const auto before = m.memory.tree();
    const auto requests = m.network.requests.size();
    const auto r = enrol();
    EXPECT_EQ(code_of(r), "already-enrolled");
    EXPECT_EQ(r.error().message, "this machine is already enrolled at https://cp.example.com as dev_1");
    EXPECT_EQ(m.memory.tree(), before);
    EXPECT_EQ(m.network.requests.size(), requests);
}

TEST_F(enrolling, again_makes_a_new_device_and_keeps_the_older_password)
{
    ASSERT_TRUE(enrol());
    plane.password = "second-password";
    m.clock.advance(1h);
    options.enrol_again = true;
    options.token = "xit_token-2";
    m.server.how = agent::plane::away; // the first device's config must not be used
    m.write(m.env.home.deposit(), "what was meant for the first one");
    m.write(m.env.home.password_rotation(), "likewise");
    const auto r = enrol();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_FALSE(m.exists(m.env.home.deposit()));
    EXPECT_FALSE(m.exists(m.env.home.password_rotation()));
    EXPECT_EQ(stored().device_id, "dev_2");
    EXPECT_EQ(password_file(), "second-password\n");
    EXPECT_EQ(r->older_password, m.env.home.password().string() + ".20261123T193105.000000Z");
    EXPECT_EQ(m.read(*r->older_password), "server-password\n");
    EXPECT_FALSE(m.exists(m.env.home.cached_config()));
    EXPECT_EQ(r->config_fault->code, fault_code::config_missing);
    EXPECT_FALSE(r->folders);
}

TEST_F(enrolling, a_password_that_lies_there_is_never_overwritten)
{
    m.write(m.env.home.password(), "of an older repository\n");
    const auto r = enrol();
    ASSERT_TRUE(r);
    ASSERT_TRUE(r->older_password);
    EXPECT_EQ(m.read(*r->older_password), "of an older repository\n");
}

TEST_F(enrolling, the_same_password_again_is_not_moved)
{
    m.write(m.env.home.password(), "server-password\n");
    const auto r = enrol();
    ASSERT_TRUE(r);
    EXPECT_FALSE(r->older_password);
    EXPECT_EQ(password_file(), "server-password\n");
}

TEST_F(enrolling, a_machine_that_keeps_its_password_makes_its_own)
{
    plane.password.reset();
    const auto r = enrol();
    ASSERT_TRUE(r);
    EXPECT_TRUE(r->password_made_here);
    const auto text = password_file();
    EXPECT_EQ(text.size(), 65U);
    EXPECT_EQ(m.env.secrets->clean(text), "***\n");
}

TEST_F(enrolling, one_at_a_time)
{
    const auto other = os::try_lock(m.env.home.lock(), "backup, process 1");
    ASSERT_TRUE(other);
    EXPECT_EQ(code_of(enrol()), "run-locked");
    EXPECT_TRUE(plane.requests.empty());
}

// What another install finished between the look and the lock must not be overwritten: the look comes second.
TEST_F(enrolling, looks_for_an_earlier_enrolment_only_once_it_holds_the_lock)
{
    m.enrol();
    const auto other = os::try_lock(m.env.home.lock(), "install, process 1");
    ASSERT_TRUE(other);
    EXPECT_EQ(code_of(enrol()), "run-locked");
    EXPECT_EQ(code_of(install_legacy(m.env, {.repository = "/r", .password = "password"})), "run-locked");
}

TEST_F(enrolling, nobody_else_writes_the_config_meanwhile)
{
    const auto other = os::try_lock(m.env.home.config_lock(), "config, process 1");
    ASSERT_TRUE(other);
    EXPECT_EQ(code_of(enrol()), "run-locked");
}

TEST_F(enrolling, over_a_damaged_config_says_how)
{
    m.write(m.env.home.config, "{");
    const auto r = enrol();
    EXPECT_EQ(code_of(r), "config-invalid");
    EXPECT_NE(r.error().remedy.find("--again"), std::string::npos) << r.error().remedy;
    options.enrol_again = true;
    EXPECT_EQ(code_of(enrol()), "done");
}

TEST_F(enrolling, a_relative_folder_is_wrong_usage)
{
    options.include = {"srv"};
    const auto r = enrol();
    EXPECT_EQ(code_of(r), "usage");
    EXPECT_EQ(r.error().message, "--include[0] must be an absolute path, not \"srv\"");
    EXPECT_TRUE(m.network.requests.empty());
    EXPECT_TRUE(m.memory.tree().empty());
}

TEST_F(enrolling, killed_anywhere_it_can_be_run_again)
{
    using fakes::survivors;
    for (const bool server_keeps : {true, false})
        for (const auto s : {survivors::nothing, survivors::names, survivors::everything}) {
            bool done = false;
            for (std::uint64_t n = 1; !done; ++n) {
                SCOPED_TRACE("killed at call " + std::to_string(n));
                fakes::memory_files disk;
                fakes::crashing_files files{disk};
                machine w{&files};
                install_model model;
                if (!server_keeps) model.password.reset();
                serve(w, model);
                w.write(w.env.home.password(), "of an older repository\n");
                files.kill_at(n);
                try {
                    done = agent::enrol(w.env, options, {}).has_value();
                } catch (const fakes::killed&) {
                }
                files.spare();
                disk.restart(s);
                w.clock.advance(1min);
                const auto again = agent::enrol(w.env, options, {});
                EXPECT_TRUE(again || again.error().code == fault_code::already_enrolled) << again.error().message;
                EXPECT_LE(model.devices.size(), 1U);
                const auto c = load_local_config(w.env.files, w.env.home.config, *w.env.secrets);
                ASSERT_TRUE(c) << c.error().message;
                EXPECT_EQ(c->device_api_key, model.current_key);
                std::set<std::string> passwords;
                for (const auto& name : w.names_in(w.env.home.folder))
                    if (name.starts_with("restic.pw")) passwords.insert(w.read(w.env.home.folder / name));
                EXPECT_TRUE(passwords.contains("of an older repository\n"));
                EXPECT_NE(w.read(w.env.home.password()), "of an older repository\n");
                EXPECT_TRUE(!server_keeps || w.read(w.env.home.password()) == "server-password\n");
                ASSERT_LT(n, 1000U);
            }
        }
}

// On a real disk: who else may read it?
TEST(enrolled_machine, its_files_are_its_own)
{
    const auto files = os::make_files();
    machine m{files.get()};
    m.env.home.folder /= "home";
    m.env.home.config = m.env.home.folder / "config.json";
    install_model plane;
    enrolling::serve(m, plane);
    ASSERT_TRUE(
        agent::enrol(m.env, {.server_url = "https://cp.example.com", .token = "xit_1", .include = {"/srv"}}, {}));
    ASSERT_TRUE(m.backup());
    const auto mode = [](const std::filesystem::path& p) {
        struct stat s{};
        EXPECT_EQ(::stat(p.c_str(), &s), 0) << p;
        return s.st_mode & 0777U;
    };
    EXPECT_EQ(mode(m.env.home.folder), 0700U);
    for (const auto& p : {m.env.home.config, m.env.home.password(), m.env.home.cached_config(), m.env.home.lock(),
                          m.env.home.state("backup")})
        EXPECT_EQ(mode(p), 0600U) << p;
    for (const auto& p : {m.env.home.spool(), m.env.home.rejected(), m.env.home.cache(), m.env.home.runtime()})
        EXPECT_EQ(mode(p), 0700U) << p;
}

} // namespace
} // namespace xentz::agent
