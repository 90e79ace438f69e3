#include "control/repository_credentials.hpp"
#include "fleet.hpp"

namespace xentz::control {
namespace {

using namespace std::chrono_literals;

struct recovering : testing::Test {
    fleet f;
    enrolled_device lost = enrol(f, f.new_token());
    const headers key{{"Idempotency-Key", "try_1"}};

    store::device device() { return *f.store.find_device(domain::device_id{lost.id}); }
    std::string token(bool allow_take_over = false)
    {
        return create_recovery_token(f.admin, device(), {.allow_take_over = allow_take_over})->token;
    }
    http::response recover(const std::string& t, const headers& more, const std::string& device_id = "")
    {
        wire::recover_request r{.device_id = {}, .metadata = {"web2", "linux", "amd64", {}, {}}};
        if (!device_id.empty()) r.device_id = device_id;
        return recover_call(f.s, post(t, wire::encode(r), more));
    }
    http::response take_over(const std::string& t, const headers& more)
    {
        return take_over_call(f.s, post(t, plain_install, more));
    }
};

TEST_F(recovering, says_which_machine_it_was_and_how_its_repository_is_read)
{
    f.store.touch_device(domain::device_id{lost.id}, f.clock.now() - 1h);
    const auto r = recover(token(), key);
    ASSERT_EQ(r.status, 200) << body_of(r);
    EXPECT_EQ(header_of(r, "Cache-Control"), "no-store");
    const auto answer = *wire::decode<wire::recover_response>(body_of(r));
    EXPECT_EQ(answer.tenant_id, f.home.id.text);
    EXPECT_EQ(answer.device_id, lost.id);
    EXPECT_EQ(answer.hostname, "web1");
    EXPECT_EQ(answer.user_id, "default");
    EXPECT_EQ(answer.last_seen_at, f.clock.now() - 1h);
    EXPECT_FALSE(answer.last_good_backup_at);
    EXPECT_EQ(answer.custody, "server");
    EXPECT_EQ(answer.password, lost.password);
    EXPECT_EQ(answer.expires_at, f.clock.now() + recovery_reads_for);
    EXPECT_FALSE(answer.allow_take_over);
    const auto repository = *f.store.repository_of(domain::device_id{lost.id});
    const auto credential = f.store.credentials(repository.id).at(0);
    EXPECT_EQ(credential.kind, read_only_kind);
    EXPECT_EQ(credential.reason, "recovery on web2");
    EXPECT_EQ(answer.repo_path, "rest:https://" + credential.id.text + ":" +
                                    credential_secret(f.key, repository, credential) + "@backup.example.com/repo/" +
                                    f.home.id.text + "/" + lost.id + "/default/");
    EXPECT_FALSE(device().revoked_at) << "reading ends nothing";
}

TEST_F(recovering, names_what_the_machine_added_to_the_policy)
{
    const auto report = R"({"device_id":")" + lost.id +
                        R"(","job":"backup","started_at":"2026-11-23T01:00:00Z","finished_at":"2026-11-23T01:00:05Z",)"
                        R"("status":"success","duration_ms":5000,"details":{"local_include":["/home"],)"
                        R"("local_exclude":["*.iso"]}})";
    ASSERT_EQ(report_call(f.s, post(lost.key, report)).status, 200);
    const auto answer = *wire::decode<wire::recover_response>(body_of(recover(token(), key)));
    EXPECT_EQ(answer.local_include, std::vector<std::string>{"/home"});
    EXPECT_EQ(answer.local_exclude, std::vector<std::string>{"*.iso"});
    EXPECT_TRUE(answer.last_good_backup_at);
}

TEST_F(recovering, a_password_that_the_server_does_not_keep_is_not_in_the_answer)
{
    ASSERT_TRUE(set_tenant(f.admin, f.home, "custody=device"));
    lost = enrol(f, f.new_token());
    const auto answer = *wire::decode<wire::recover_response>(body_of(recover(token(), key)));
    EXPECT_EQ(answer.custody, "device");
    EXPECT_FALSE(answer.password);
}

TEST_F(recovering, needs_a_token_and_a_key_of_the_call)
{
    EXPECT_EQ(kind_of(recover("", key)), "401 unauthorized");
    EXPECT_EQ(kind_of(recover("xrt_unknown", key)), "401 token-unknown");
    EXPECT_EQ(kind_of(recover(f.new_token(), key)), "401 token-unknown") << "an install token is none";
    const auto t = token();
    EXPECT_EQ(kind_of(recover(t, {})), "400 invalid-request");
    EXPECT_EQ(kind_of(recover_call(f.s, post(t, R"({"metadata":{"hostname":"","os":"","arch":""}})", key))),
              "400 invalid-request");
    EXPECT_EQ(kind_of(recover_call(f.s, post(t, "{", key))), "400 invalid-request");
    EXPECT_EQ(kind_of(recover(t, key, "dev_other")), "409 other-device");
    EXPECT_EQ(recover(t, key, lost.id).status, 200) << "none of these cost the token";
    EXPECT_EQ(kind_of(recover(t, {{"Idempotency-Key", "try_2"}})), "401 token-used");
}

TEST_F(recovering, ends_with_the_tokens_time)
{
    const auto t = token();
    f.clock.advance(25h);
    EXPECT_EQ(kind_of(recover(t, key)), "401 token-expired");
}

TEST_F(recovering, the_successor_is_a_device_with_the_same_repository)
{
    const auto t = token(true);
    EXPECT_EQ(kind_of(take_over(t, key)), "409 not-exchanged");
    ASSERT_EQ(recover(t, key).status, 200);
    EXPECT_EQ(kind_of(take_over(t, {{"Idempotency-Key", "try_2"}})), "401 token-used");
    const auto r = take_over(t, key);
    ASSERT_EQ(r.status, 200) << body_of(r);
    const auto answer = *wire::decode<wire::install_response>(body_of(r));
    EXPECT_NE(answer.device_id, lost.id);
    EXPECT_EQ(answer.password, lost.password);
    EXPECT_NE(answer.repo_path.find("/" + answer.device_id + "/default/"), std::string::npos);
    EXPECT_EQ(get_config(f, answer.device_api_key).status, 200);
    EXPECT_EQ(kind_of(get_config(f, lost.key)), "403 device-revoked");
    EXPECT_EQ(kind_of(take_over(t, key)), "401 token-used") << "the successor has spoken";
    const auto v = view(*f.store.find_device(domain::device_id{answer.device_id}), f.store);
    EXPECT_EQ(v.predecessor_id, lost.id);
    EXPECT_EQ(view(device(), f.store).successor_id, answer.device_id);
}

TEST_F(recovering, is_no_take_over_where_the_token_does_not_say_so)
{
    const auto t = token();
    ASSERT_EQ(recover(t, key).status, 200);
    EXPECT_EQ(kind_of(take_over(t, key)), "403 take-over-not-allowed");
    EXPECT_FALSE(device().revoked_at);
}

TEST_F(recovering, a_token_for_a_machine_that_was_succeeded_is_not_made)
{
    const auto t = token(true);
    ASSERT_EQ(recover(t, key).status, 200);
    const auto heir = *wire::decode<wire::install_response>(body_of(take_over(t, key)));
    const auto refused = create_recovery_token(f.admin, device(), {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().remedy.find(heir.device_id), std::string::npos);
    EXPECT_FALSE(create_recovery_token(f.admin, device(), {.ttl = 1s}));
}

TEST_F(recovering, tokens_are_listed_with_what_came_of_them)
{
    const auto t = token(true);
    const auto listed = [&] { return view(f.store.recovery_tokens({}).at(0), f.home.id, f.clock.now()); };
    EXPECT_EQ(listed().kind, "recovery");
    EXPECT_EQ(listed().state, "usable");
    EXPECT_EQ(listed().device_id, lost.id);
    recover(t, key);
    EXPECT_EQ(listed().state, "used");
    const auto heir = *wire::decode<wire::install_response>(body_of(take_over(t, key)));
    EXPECT_EQ(listed().successor_id, heir.device_id);
}

} // namespace
} // namespace xentz::control
