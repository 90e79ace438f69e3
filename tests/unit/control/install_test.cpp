#include "fleet.hpp"

#include <regex>

namespace xentz::control {
namespace {

using namespace std::chrono_literals;

TEST(install, makes_a_device_with_a_repository)
{
    fleet f;
    const auto r =
        install_call(f.s, post(f.new_token(), R"({"user_id":"anna","metadata":{"hostname":"web1","os":"linux",)"
                                              R"("arch":"amd64","agent_version":"0.1.0","restic_version":"0.14.0"},)"
                                              R"("include":["/srv"],"later":1})"));
    ASSERT_EQ(r.status, 200) << body_of(r);
    EXPECT_EQ(header_of(r, "Content-Type"), "application/json");
    EXPECT_EQ(header_of(r, "Cache-Control"), "no-store");
    const auto answer = *wire::decode<wire::install_response>(body_of(r));
    EXPECT_EQ(answer.tenant_id, f.home.id.text);
    EXPECT_TRUE(std::regex_match(answer.device_api_key, std::regex{"xdk_[0-9a-f]{64}"}));
    EXPECT_TRUE(std::regex_match(answer.password.value_or(""), std::regex{"[0-9a-f]{64}"}));

    const auto device = f.store.find_device(domain::device_id{answer.device_id});
    ASSERT_TRUE(device);
    EXPECT_EQ(device->hostname, "web1");
    EXPECT_EQ(device->agent_version, "0.1.0");
    EXPECT_EQ(device->restic_version, "0.14.0");
    EXPECT_EQ(device->include, R"(["/srv"])");
    EXPECT_EQ(device->policy_name, "default");
    EXPECT_EQ(device->enrolled_at, f.clock.now());
    EXPECT_FALSE(device->last_seen_at);
    EXPECT_EQ(device->key_hash, crypto::token_hash(answer.device_api_key));

    const auto repository = *f.store.repository_of(device->id);
    EXPECT_EQ(answer.repo_path, "rest:https://" + answer.device_id + ":" +
                                    f.key.repository_secret(repository.id.text, 1) + "@backup.example.com/repo/" +
                                    f.home.id.text + "/" + answer.device_id + "/anna/");
    EXPECT_TRUE(f.store.find_repository(f.home.id.text, answer.device_id, "anna"));
}

TEST(install, the_password_is_sealed_in_the_database)
{
    fleet f;
    const auto d = enrol(f, f.new_token());
    const auto repository = *f.store.repository_of(domain::device_id{d.id});
    ASSERT_TRUE(repository.password_box);
    EXPECT_EQ(repository.password_box->find(*d.password), std::string::npos);
    EXPECT_EQ(*f.key.open(repository.id.text, *repository.password_box), *d.password);
}

TEST(install, a_tenant_whose_devices_keep_their_passwords_gets_none)
{
    fleet f;
    ASSERT_TRUE(set_tenant(f.admin, f.home, "custody=device"));
    const auto d = enrol(f, f.new_token());
    EXPECT_FALSE(d.password);
    EXPECT_FALSE(f.store.repository_of(domain::device_id{d.id})->password_box);
}

TEST(install, the_address_follows_the_public_url_with_its_prefix)
{
    fleet f;
    f.s.public_url = "http://127.0.0.1:8080/control";
    const auto d = enrol(f, f.new_token());
    EXPECT_TRUE(d.repository.starts_with("rest:http://" + d.id + ":"));
    EXPECT_NE(d.repository.find("@127.0.0.1:8080/control/repo/" + f.home.id.text + "/" + d.id + "/default/"),
              std::string::npos)
        << d.repository;
}

TEST(install, says_nothing_secret_in_the_log)
{
    fleet f;
    const auto token = f.new_token();
    const auto d = enrol(f, token);
    EXPECT_TRUE(f.log.said(base::log_level::info, d.id + " enrolled: web1"));
    for (const auto& secret : {token, d.key, *d.password}) EXPECT_EQ(f.log.text().find(secret), std::string::npos);
}

TEST(install, a_token_is_needed_and_refused_for_what_it_is)
{
    fleet f;
    const auto install = [&](const std::string& token) {
        return kind_of(install_call(f.s, post(token, plain_install)));
    };
    EXPECT_EQ(install(""), "401 unauthorized");
    EXPECT_EQ(install("xit_unknown"), "401 token-unknown");

    const auto used = f.new_token();
    enrol(f, used);
    EXPECT_EQ(install(used), "401 token-used");

    const auto revoked = create_token(f.admin, f.home, {});
    ASSERT_TRUE(f.store.revoke_token(domain::token_id{revoked->id}, f.clock.now()));
    EXPECT_EQ(install(revoked->token), "401 token-revoked");

    const auto expired = f.new_token({.ttl = 1h});
    f.clock.advance(1h - 1us);
    const auto fresh = f.new_token({.ttl = 1h});
    f.clock.advance(1us);
    EXPECT_EQ(install(expired), "401 token-expired");
    EXPECT_EQ(install(fresh), "200");
    EXPECT_EQ(f.store.devices(std::nullopt).size(), 2U);
}

TEST(install, a_token_may_be_made_for_several_devices)
{
    fleet f;
    const auto token = f.new_token({.uses = 2});
    const auto first = enrol(f, token);
    const auto second = enrol(f, token);
    EXPECT_NE(first.id, second.id);
    EXPECT_NE(first.key, second.key);
    EXPECT_NE(first.password, second.password);
    EXPECT_EQ(kind_of(install_call(f.s, post(token, plain_install))), "401 token-used");
}

struct refusal {
    std::string name;
    std::string body;
    std::string detail;
};

void PrintTo(const refusal& r, std::ostream* out) { *out << r.name; }

std::string metadata(const std::string& fields) { return R"({"metadata":{)" + fields + "}}"; }

class refused_install : public testing::TestWithParam<refusal> {};

TEST_P(refused_install, burns_no_token)
{
    fleet f;
    const auto token = f.new_token();
    const auto r = install_call(f.s, post(token, GetParam().body));
    EXPECT_EQ(kind_of(r), "400 invalid-request");
    EXPECT_EQ(detail_of(r).substr(0, GetParam().detail.size()), GetParam().detail);
    EXPECT_TRUE(f.store.devices(std::nullopt).empty());
    enrol(f, token);
}

const std::string machine = R"("os":"linux","arch":"amd64")";

INSTANTIATE_TEST_SUITE_P(
    install, refused_install,
    testing::Values(
        refusal{"no_json", "hostname=web1", "not valid JSON at byte "},
        refusal{"empty", "", "not valid JSON: it ends too early."},
        refusal{"no_object", "[]", "expected an object, got an array."},
        refusal{"no_metadata", "{}", "metadata: missing."},
        refusal{"no_hostname", metadata(machine), "metadata.hostname: missing."},
        refusal{"hostname_number", metadata(R"("hostname":1,)" + machine),
                "metadata.hostname: expected a string, got a number."},
        refusal{"hostname_empty", metadata(R"("hostname":"",)" + machine), "metadata.hostname is empty."},
        refusal{"hostname_long", metadata(R"("hostname":")" + std::string(256, 'a') + R"(",)" + machine),
                "metadata.hostname must be text of at most 255 bytes"},
        refusal{"hostname_control", metadata(R"("hostname":"a\u001bb",)" + machine), "metadata.hostname must be text"},
        refusal{"hostname_nul", metadata(R"("hostname":"a\u0000b",)" + machine), "metadata.hostname must be text"},
        refusal{"hostname_delete", metadata(R"("hostname":"a\u007fb",)" + machine), "metadata.hostname must be text"},
        refusal{"os_long", metadata(R"("hostname":"h","arch":"a","os":")" + std::string(256, 'a') + "\""),
                "metadata.os must be text"},
        refusal{"arch_control", metadata(R"("hostname":"h","os":"a","arch":"\n")"), "metadata.arch must be text"},
        refusal{"agent_version", metadata(R"("hostname":"h","agent_version":"\t",)" + machine),
                "metadata.agent_version must be text"},
        refusal{"restic_version", metadata(R"("hostname":"h","restic_version":"\t",)" + machine),
                "metadata.restic_version must be text"},
        refusal{"user_id_upper", R"({"user_id":"Anna",)" + plain_install.substr(1), "user_id must be 1 to 64 of"},
        refusal{"user_id_dots", R"({"user_id":"..",)" + plain_install.substr(1), "user_id must be 1 to 64 of"},
        refusal{"user_id_slash", R"({"user_id":"a/b",)" + plain_install.substr(1), "user_id must be 1 to 64 of"},
        refusal{"user_id_empty", R"({"user_id":"",)" + plain_install.substr(1), "user_id must be 1 to 64 of"},
        refusal{"include_relative", R"({"include":["/a","b"],)" + plain_install.substr(1),
                "include[1] must be an absolute path, not \"b\"."},
        refusal{"include_text", R"({"include":"/a",)" + plain_install.substr(1),
                "include: expected an array, got a string."},
        refusal{"include_number", R"({"include":[1],)" + plain_install.substr(1),
                "include[0]: expected a string, got a number."}),
    [](const auto& test) { return test.param.name; });

TEST(install, an_idempotency_key_has_1_to_128_plain_characters)
{
    fleet f;
    const auto token = f.new_token();
    for (const auto& bad : {std::string{}, std::string(129, 'a'), std::string{"\xff"}, std::string("a\0b", 3)}) {
        const auto r = install_call(f.s, post(token, plain_install, {{"Idempotency-Key", bad}}));
        EXPECT_EQ(kind_of(r), "400 invalid-request") << bad;
    }
    enrol(f, token, plain_install, {{"Idempotency-Key", std::string(128, 'a')}});
}

const headers same_try = {{"Idempotency-Key", "try_1"}};

TEST(install_retry, gives_the_same_device_a_new_key_that_voids_the_unseen_one)
{
    fleet f;
    const auto token = f.new_token();
    const auto lost = enrol(f, token, plain_install, same_try);
    f.clock.advance(15min);
    const auto again = enrol(f, token, plain_install, same_try);
    EXPECT_EQ(again.id, lost.id);
    EXPECT_EQ(again.repository, lost.repository);
    EXPECT_EQ(again.password, lost.password);
    EXPECT_NE(again.key, lost.key);
    EXPECT_EQ(f.store.devices(std::nullopt).size(), 1U);
    EXPECT_EQ(kind_of(get_config(f, lost.key)), "401 unauthorized");
    EXPECT_EQ(get_config(f, again.key).status, 200);
}

TEST(install_retry, takes_no_use_of_a_token_for_several)
{
    fleet f;
    const auto token = f.new_token({.uses = 2});
    enrol(f, token, plain_install, same_try);
    enrol(f, token, plain_install, same_try);
    EXPECT_EQ(f.store.tokens(std::nullopt).front().uses_left, 1);
    const auto other = enrol(f, token, plain_install, {{"Idempotency-Key", "try_2"}});
    EXPECT_EQ(f.store.devices(std::nullopt).size(), 2U);
    EXPECT_FALSE(other.id.empty());
}

TEST(install_retry, ends_with_the_first_authenticated_call)
{
    fleet f;
    const auto token = f.new_token();
    const auto d = enrol(f, token, plain_install, same_try);
    f.clock.advance(1s);
    EXPECT_EQ(get_config(f, d.key).status, 200);
    EXPECT_EQ(kind_of(install_call(f.s, post(token, plain_install, same_try))), "409 already-enrolled");
    EXPECT_EQ(get_config(f, d.key).status, 200); // its key still holds
}

TEST(install_retry, ends_after_fifteen_minutes)
{
    fleet f;
    const auto token = f.new_token();
    const auto d = enrol(f, token, plain_install, same_try);
    f.clock.advance(15min + 1us);
    EXPECT_EQ(kind_of(install_call(f.s, post(token, plain_install, same_try))), "409 already-enrolled");
    EXPECT_EQ(get_config(f, d.key).status, 200);
}

TEST(install_retry, another_key_is_another_try)
{
    fleet f;
    const auto token = f.new_token();
    enrol(f, token, plain_install, same_try);
    EXPECT_EQ(kind_of(install_call(f.s, post(token, plain_install, {{"Idempotency-Key", "try_2"}}))), "401 token-used");
    EXPECT_EQ(kind_of(install_call(f.s, post(token, plain_install))), "401 token-used");
}

} // namespace
} // namespace xentz::control
