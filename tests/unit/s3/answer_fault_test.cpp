#include "s3/answer_fault.hpp"

#include "fakes/fake_clock.hpp"
#include "http/client.hpp"

#include <gtest/gtest.h>

namespace xentz::s3 {
namespace {

using base::fault_code;

base::fault fault_of(int status, const std::string& code, std::vector<http::header> headers = {},
                     const std::string& more = {})
{
    static const auto a =
        parse_address("s3://backups?endpoint=https://s3.example.com&region=us-east-1", [](const std::string&) {
            return std::nullopt;
        }).value();
    const auto body = code.empty() ? std::string{} : "<Error><Code>" + code + "</Code>" + more + "</Error>";
    return answer_fault(a, {.status = status,
                            .headers = headers,
                            .body = body,
                            .wish = "store an object",
                            .origin_of_keys = "the environment",
                            .now = fakes::fake_clock{}.time});
}

TEST(answer, says_what_is_wrong_with_the_keys)
{
    EXPECT_EQ(
        base::sentence(fault_of(403, "InvalidAccessKeyId")),
        "the object store at https://s3.example.com does not know the access keys from the environment. Check the "
        "access keys, and that they belong to this object store.");
    for (const auto* code : {"SignatureDoesNotMatch", "InvalidAccessKeyId", "AccessDenied", "ExpiredToken", ""})
        EXPECT_EQ(fault_of(403, code).code, fault_code::repository_refused) << code;
    EXPECT_EQ(fault_of(400, "ExpiredToken").code, fault_code::repository_refused);
    const auto denied = base::sentence(fault_of(403, "AccessDenied"));
    EXPECT_NE(denied.find("to store an object in the bucket backups"), std::string::npos) << denied;
    EXPECT_NE(denied.find("s3:PutObject"), std::string::npos);
}

TEST(answer, says_that_the_bucket_is_missing_or_elsewhere)
{
    EXPECT_EQ(fault_of(404, "NoSuchBucket").code, fault_code::repository_missing);
    EXPECT_EQ(fault_of(404, "NoSuchKey").code, fault_code::not_found);
    EXPECT_EQ(fault_of(404, "").code, fault_code::not_found) << "HEAD has no body";
    for (const auto& f : {fault_of(301, "PermanentRedirect", {{"x-amz-bucket-region", "eu-west-1"}}),
                          fault_of(301, "", {{"x-amz-bucket-region", "eu-west-1"}}),
                          fault_of(400, "", {{"x-amz-bucket-region", "eu-west-1"}}),
                          fault_of(400, "AuthorizationHeaderMalformed", {}, "<Region>eu-west-1</Region>")}) {
        EXPECT_EQ(f.code, fault_code::config_invalid);
        EXPECT_EQ(f.remedy, "Say region=eu-west-1 in the storage's address");
    }
}

TEST(answer, says_by_how_much_the_clock_is_wrong)
{
    const auto f = fault_of(403, "RequestTimeTooSkewed", {{"Date", "Mon, 23 Nov 2026 19:31:05 GMT"}});
    EXPECT_EQ(f.code, fault_code::clock_wrong);
    EXPECT_NE(f.message.find("by 1 h 00 min"), std::string::npos) << f.message;
}

TEST(answer, tells_what_may_pass_from_what_does_not)
{
    for (const int status : {500, 502, 503, 504, 429, 408, 409})
        EXPECT_EQ(fault_of(status, "").code, fault_code::server_failed) << status;
    for (const auto* code : {"RequestTimeout", "BadDigest", "XAmzContentSHA256Mismatch"})
        EXPECT_EQ(fault_of(400, code).code, fault_code::server_failed) << code;
    EXPECT_EQ(fault_of(412, "PreconditionFailed").code, fault_code::conflict);
    EXPECT_EQ(fault_of(507, "").code, fault_code::disk_full);
    EXPECT_EQ(fault_of(403, "QuotaExceeded").code, fault_code::disk_full);
    EXPECT_EQ(fault_of(400, "InvalidArgument").code, fault_code::server_refused);
    EXPECT_EQ(fault_of(405, "").code, fault_code::server_refused);
}

TEST(answer, shows_nothing_of_a_server_that_could_harm_a_terminal)
{
    const auto f = fault_of(400, "Odd", {}, "<Message>a&#x9b;31m" + std::string(1000, 'x') + "</Message>");
    EXPECT_EQ(f.message.find('\x9b'), std::string::npos);
    EXPECT_LT(f.message.size(), 500U);
}

} // namespace
} // namespace xentz::s3
