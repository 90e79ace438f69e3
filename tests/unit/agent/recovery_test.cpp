#include "agent/recovery.hpp"
#include "agent/restore.hpp"
#include "crypto/sealed_box.hpp"
#include "machine.hpp"

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;

struct recovering : testing::Test {
    machine m;
    wire::recover_response lost;
    std::vector<std::string> keys; // of the calls
    int status = 200;
    recovery_options options{.server_url = "https://cp.example.com/", .token = "xrt_token-1"};

    recovering()
    {
        lost.tenant_id = "ten_1";
        lost.device_id = "dev_lost";
        lost.user_id = "anna";
        lost.hostname = "burned";
        lost.custody = "server";
        lost.repo_path = "rest:https://cred_1:credential-2@repo.example.com/repo/ten_1/dev_lost/anna/";
        lost.password = "password-of-lost";
        lost.expires_at = m.clock.now() + 7 * 24h;
        lost.local_include = {"/home"};
        options.password = [] { return result_of("typed"); };
        m.network.serve = [this](const http::client_request& r) { return serve(r); };
    }
    static base::result<std::string> result_of(const char* text) { return std::string{text}; }

    std::optional<fakes::http_answer> serve(const http::client_request& r)
    {
        const bool recovers = r.url == "https://cp.example.com/v1/recover";
        if (!recovers && r.url != "https://cp.example.com/v1/take-over") return m.server.answer(r);
        keys.push_back(*http::find_header(r.headers, "Idempotency-Key"));
        EXPECT_EQ(*http::find_header(r.headers, "Authorization"), "Bearer xrt_token-1");
        if (status == 0) return fakes::no_network();
        if (status != 200) return fakes::problem(status, "token-used", "recovery token has been used already");
        if (recovers) return fakes::answer(200, wire::encode(lost));
        wire::install_response answer{"ten_1", "dev_new", "xdk_new-key-1", "", std::nullopt};
        answer.repo_path = "rest:https://dev_new:credential-3@repo.example.com/repo/ten_1/dev_new/anna/";
        return fakes::answer(200, wire::encode(answer));
    }
    base::result<recovery> begin() { return begin_recovery(m.env, options, {}); }
    local_config config() { return *load_local_config(m.env.files, m.env.home.config, *m.env.secrets); }
};

TEST_F(recovering, the_machine_reads_the_lost_ones_repository_and_does_nothing_else)
{
    const auto r = begin();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->server_url, "https://cp.example.com");
    EXPECT_EQ(r->lost.hostname, "burned");
    EXPECT_EQ(config().recovering, "dev_lost");
    EXPECT_FALSE(config().managed());
    EXPECT_EQ(config().host, "burned");
    EXPECT_EQ(config().restic.repository, lost.repo_path);
    EXPECT_EQ(m.read(m.env.home.password()), "password-of-lost\n");
    EXPECT_EQ(code_of(m.backup()), "config-missing");
    EXPECT_EQ(code_of(m.retention()), "config-missing");
    ASSERT_TRUE(list_snapshots(m.env, {}));
    EXPECT_EQ(m.env.secrets->clean("password-of-lost xrt_token-1 credential-2"), "*** *** ***");
}

TEST_F(recovering, a_lost_answer_is_asked_for_again_with_the_same_key)
{
    status = 0;
    EXPECT_EQ(code_of(begin()), "network-unreachable");
    EXPECT_FALSE(m.env.files.info(m.env.home.config)) << "nothing half done";
    status = 200;
    ASSERT_TRUE(begin());
    ASSERT_TRUE(begin());
    EXPECT_EQ(keys, (std::vector<std::string>{keys[0], keys[0], keys[0]}));
    options.token = "xrt_token-1";
    options.server_url = "https://cp.example.com";
    ASSERT_TRUE(begin()) << "the same server";
    EXPECT_EQ(keys.back(), keys[0]);
}

TEST_F(recovering, a_token_that_is_refused_leaves_no_config)
{
    status = 401;
    const auto r = begin();
    EXPECT_EQ(code_of(r), "token-refused");
    EXPECT_EQ(r.error().message, "the server refused the token: recovery token has been used already");
    EXPECT_FALSE(m.env.files.info(m.env.home.config));
}

TEST_F(recovering, a_password_that_the_server_does_not_have_is_asked_for)
{
    lost.password.reset();
    lost.custody = "device";
    ASSERT_TRUE(begin());
    EXPECT_EQ(m.read(m.env.home.password()), "typed\n");
    options.password = [] { return result_of(""); };
    EXPECT_EQ(code_of(begin()), "password-missing");
}

TEST_F(recovering, the_recovery_sheet_is_as_good_as_the_password)
{
    lost.password.reset();
    const auto sheet = recovery_sheet_of({}, std::string(32, 'a') + std::string(32, '7'));
    options.password = [&] { return result_of(sheet.c_str()); };
    ASSERT_TRUE(begin());
    EXPECT_EQ(m.read(m.env.home.password()), std::string(32, 'a') + std::string(32, '7') + "\n");
    options.password = [&] { return result_of("1: a password that looks like a line of one"); };
    ASSERT_TRUE(begin());
    EXPECT_EQ(m.read(m.env.home.password()), "1: a password that looks like a line of one\n");
}

TEST_F(recovering, a_server_cannot_get_hold_of_a_password_that_was_typed)
{
    lost.password.reset(); // and says "server" all the same
    const auto r = begin();
    ASSERT_TRUE(r);
    ASSERT_TRUE(take_over(m.env, options, *r, {}));
    EXPECT_EQ(config().custody, "device");
}

TEST_F(recovering, what_was_handed_over_before_the_custody_changed_is_tried_too)
{
    lost.custody = "device"; // says who stole the device's key, or a change that was cut short
    options.password = [] { return base::result<std::string>{base::fail(fault_code::usage, "nobody has it")}; };
    const auto r = begin();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(m.read(m.env.home.password()), "password-of-lost\n");
    EXPECT_EQ(r->custody, "server");
    const auto pair = crypto::make_key_pair(m.random);
    lost.custody = "sealed";
    lost.sealed_passwords = {*crypto::seal_to(pair.public_key, "sealed password")};
    options.private_key = [&] { return result_of(pair.private_key.c_str()); };
    ASSERT_TRUE(begin());
    EXPECT_EQ(m.read(m.env.home.password()), "sealed password\n");
}

TEST_F(recovering, what_a_person_has_brought_along_comes_first)
{
    lost.custody = "server"; // says the server, and has a password that a thief handed over
    options.password_given = true;
    const auto r = begin();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(m.read(m.env.home.password()), "typed\n");
    EXPECT_EQ(r->custody, "device");
    options.password_given = false;
    const auto pair = crypto::make_key_pair(m.random);
    lost.sealed_passwords = {*crypto::seal_to(pair.public_key, "sealed password")};
    options.private_key = [&] { return result_of(pair.private_key.c_str()); };
    options.private_key_given = true;
    const auto again = begin();
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(m.read(m.env.home.password()), "sealed password\n");
    EXPECT_EQ(again->custody, "sealed");
}

TEST_F(recovering, of_several_passwords_none_is_left_lying_about)
{
    lost.older_passwords = {"older"};
    m.restic.latest_result = base::fail(fault_code::wrong_password, "wrong password");
    EXPECT_EQ(code_of(begin()), "wrong-password");
    EXPECT_EQ(std::ranges::count(m.restic.calls, "latest"), 2);
    EXPECT_FALSE(m.env.files.info(m.env.home.password()));
    EXPECT_FALSE(m.env.files.info(m.env.home.password_on_trial()));
    m.restic.latest_result = std::optional<engine::snapshot>{};
    ASSERT_TRUE(begin());
    EXPECT_EQ(m.read(m.env.home.password()), "password-of-lost\n");
    EXPECT_FALSE(m.env.files.info(m.env.home.password_on_trial()));
}

TEST_F(recovering, an_older_password_is_kept)
{
    m.write(m.env.home.password(), "of another\n");
    const auto r = begin();
    ASSERT_TRUE(r);
    ASSERT_TRUE(r->older_password);
    EXPECT_EQ(m.read(*r->older_password), "of another\n");
}

TEST_F(recovering, a_machine_with_a_repository_of_its_own_keeps_it)
{
    m.enrol();
    const auto before = m.read(m.env.home.config);
    EXPECT_EQ(code_of(begin()), "already-enrolled");
    EXPECT_EQ(m.read(m.env.home.config), before);
    EXPECT_TRUE(keys.empty()) << "the token was not used";
}

TEST_F(recovering, the_successor_is_a_device_and_goes_on)
{
    const auto r = begin();
    ASSERT_TRUE(r);
    const auto successor = take_over(m.env, options, *r, {});
    ASSERT_TRUE(successor) << successor.error().message;
    EXPECT_EQ(keys.at(1), keys.at(0));
    EXPECT_FALSE(config().recovering);
    EXPECT_TRUE(config().managed());
    EXPECT_EQ(config().device_id, "dev_new");
    EXPECT_EQ(config().host, "burned");
    EXPECT_EQ(config().custody, "server");
    EXPECT_EQ(config().user_id, "anna");
    EXPECT_EQ(config().include, std::vector<std::string>{"/home"});
    EXPECT_EQ(m.read(m.env.home.password()), "password-of-lost\n");
    EXPECT_FALSE(m.env.files.info(m.env.home.recovery()));
    EXPECT_EQ(code_of(m.backup()), "done");
}

TEST_F(recovering, a_take_over_whose_answer_was_lost_is_repeated)
{
    const auto r = begin();
    status = 0;
    EXPECT_EQ(code_of(take_over(m.env, options, *r, {})), "network-unreachable");
    EXPECT_EQ(config().recovering, "dev_lost");
    status = 200;
    ASSERT_TRUE(take_over(m.env, options, *r, {}));
    EXPECT_EQ(keys.at(2), keys.at(1));
}

} // namespace
} // namespace xentz::agent
