#include "s3/credentials.hpp"

#include "base/time_text.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_http_client.hpp"
#include "fakes/memory_files.hpp"

#include <gtest/gtest.h>

#include <map>

namespace xentz::s3 {
namespace {

using namespace std::chrono_literals;
using base::fault_code;
using fakes::answer;

struct keys : testing::Test {
    fakes::memory_files files;
    fakes::fake_clock clock;
    base::redactor redactor;
    fakes::fake_network network;
    std::map<std::string, std::string> variables;

    std::unique_ptr<credential_source> source(const std::string& more = {})
    {
        const environment look = [this](const std::string& name) -> std::optional<std::string> {
            const auto at = variables.find(name);
            return at == variables.end() ? std::nullopt : std::optional{at->second};
        };
        const auto a = parse_address("s3://backups?endpoint=https://s3.example.com" + more, look).value();
        return make_credential_source(a, {files, clock, redactor, look},
                                      std::make_unique<fakes::fake_http_client>(network));
    }
    void write(const std::string& name, std::string_view text)
    {
        ASSERT_TRUE(os::write_atomic(files, "/" + name, text));
    }
    // Until `time` the role has the keys of this number.
    void offer(int number, base::time_point time)
    {
        network.answers = {answer(200, "session"), answer(200, "backup-role\n"),
                           answer(200, R"({"Code":"Success","AccessKeyId":"ASIA)" + std::to_string(number) +
                                           R"(","SecretAccessKey":"role secret","Token":"role token","Expiration":")" +
                                           base::to_rfc3339(time) + "\"}")};
    }
};

TEST_F(keys, of_the_environment)
{
    variables = {
        {"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "secret key"}, {"AWS_SESSION_TOKEN", "token"}};
    const auto found = source()->get().value();
    EXPECT_EQ(found.access_key, "AKID");
    EXPECT_EQ(found.secret_key, "secret key");
    EXPECT_EQ(found.session_token, "token");
    EXPECT_EQ(redactor.clean("the secret key!"), redactor.clean("the " + redactor.clean("secret key") + "!"));
    EXPECT_EQ(redactor.clean("the secret key!").find("secret key"), std::string::npos);
    EXPECT_TRUE(network.requests.empty());
}

TEST_F(keys, of_a_file_that_the_address_names_win)
{
    variables = {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "secret key"}};
    write("keys", "# comment\n[other]\naws_access_key_id=NO\naws_secret_access_key=NO\n\n[default]\r\n"
                  "aws_access_key_id = FILEID\r\naws_secret_access_key = of = the file\r\n[profile third]\n"
                  "aws_access_key_id=THIRD\naws_secret_access_key=x\naws_session_token=t\n");
    const auto found = source("&credentials=/keys")->get().value();
    EXPECT_EQ(found.access_key, "FILEID");
    EXPECT_EQ(found.secret_key, "of = the file");
    EXPECT_EQ(found.origin, "/keys");
    EXPECT_EQ(source("&credentials=/keys&profile=third")->get()->session_token, "t");
    const auto missing = source("&credentials=/keys&profile=fourth")->get();
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, fault_code::config_invalid);
    EXPECT_FALSE(source("&credentials=/nothing")->get());
}

TEST_F(keys, of_a_file_are_read_again_when_they_are_refused)
{
    variables["AWS_SHARED_CREDENTIALS_FILE"] = "/keys";
    write("keys", "[default]\naws_access_key_id=FIRST\naws_secret_access_key=x\n");
    const auto s = source();
    EXPECT_EQ(s->get()->access_key, "FIRST");
    write("keys", "[default]\naws_access_key_id=SECOND\naws_secret_access_key=x\n");
    EXPECT_EQ(s->get()->access_key, "FIRST");
    EXPECT_EQ(s->renewed()->access_key, "SECOND");
    EXPECT_EQ(s->get()->access_key, "SECOND");
}

TEST_F(keys, of_the_instance_are_asked_for_with_a_session)
{
    offer(1, clock.time + 1h);
    const auto s = source();
    const auto found = s->get().value();
    EXPECT_EQ(found.access_key, "ASIA1");
    EXPECT_EQ(found.session_token, "role token");
    ASSERT_EQ(network.requests.size(), 3U);
    EXPECT_EQ(network.requests[0].method, "PUT");
    EXPECT_EQ(network.requests[0].url, "http://169.254.169.254/latest/api/token");
    EXPECT_NE(http::find_header(network.requests[0].headers, "X-aws-ec2-metadata-token-ttl-seconds"), nullptr);
    EXPECT_EQ(network.requests[2].url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/backup-role");
    for (const auto i : {1U, 2U})
        EXPECT_EQ(*http::find_header(network.requests[i].headers, "X-aws-ec2-metadata-token"), "session");
    EXPECT_EQ(s->get()->access_key, "ASIA1");
    EXPECT_EQ(network.requests.size(), 3U) << "they are kept";
}

TEST_F(keys, of_the_instance_are_renewed_before_they_expire)
{
    offer(1, clock.time + 1h);
    const auto s = source();
    ASSERT_TRUE(s->get());
    clock.advance(57min);
    EXPECT_EQ(s->get()->access_key, "ASIA1") << "the metadata is away, and they still hold";
    offer(2, clock.time + 1h);
    EXPECT_EQ(s->get()->access_key, "ASIA2");
    clock.advance(2h);
    network.answers.clear();
    EXPECT_FALSE(s->get()) << "nothing that has expired";
}

TEST_F(keys, nowhere)
{
    const auto none = source()->get();
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, fault_code::config_missing);
    EXPECT_NE(none.error().remedy.find("AWS_ACCESS_KEY_ID"), std::string::npos);
    network.requests.clear();
    variables["AWS_EC2_METADATA_DISABLED"] = "true";
    EXPECT_FALSE(source()->get());
    EXPECT_TRUE(network.requests.empty());
}

TEST_F(keys, of_an_instance_without_a_role)
{
    network.answers = {answer(200, "session"), answer(404)};
    const auto none = source()->get();
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message.find("role"), std::string::npos);
}

} // namespace
} // namespace xentz::s3
