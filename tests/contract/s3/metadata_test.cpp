// The keys of an instance's role over real HTTP, as the metadata service offers them.
#include "contract/s3/scripted_store.hpp"
#include "s3/credentials.hpp"

#include <gtest/gtest.h>

namespace xentz::s3 {
namespace {

TEST(instance_metadata, gives_the_keys_of_the_role)
{
    testing::scripted_store service;
    service.say({.status = 200, .body = "session"});
    service.say({.status = 200, .body = "backup-role"});
    service.say({.status = 200,
                 .body = R"({"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t",)"
                         R"("Expiration":"2026-11-23T20:00:00Z"})"});
    const auto client = make_metadata_client();
    const auto found = ask_instance_metadata(*client, service.endpoint());
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->access_key, "ASIA1");
    const auto asked = service.asked();
    ASSERT_EQ(asked.size(), 3U);
    EXPECT_EQ(asked[0].head.method + " " + asked[0].head.path, "PUT /latest/api/token");
    EXPECT_EQ(*asked[0].head.find("X-aws-ec2-metadata-token-ttl-seconds"), "300");
    EXPECT_EQ(asked[2].head.method + " " + asked[2].head.path,
              "GET /latest/meta-data/iam/security-credentials/backup-role");
    EXPECT_EQ(*asked[2].head.find("X-aws-ec2-metadata-token"), "session");
}

TEST(instance_metadata, that_fails_is_told)
{
    testing::scripted_store service;
    service.say({.status = 403});
    const auto client = make_metadata_client();
    const auto found = ask_instance_metadata(*client, service.endpoint());
    ASSERT_FALSE(found);
    EXPECT_TRUE(found.error().message.contains("403")) << found.error().message;
}

} // namespace
} // namespace xentz::s3
