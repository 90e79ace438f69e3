#include "s3/answer_fault.hpp"

#include "base/time_text.hpp"
#include "http/client.hpp"
#include "s3/xml.hpp"

#include <algorithm>
#include <array>

namespace xentz::s3 {
namespace {

using base::fault;
using base::fault_code;

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes)
{
    return std::ranges::find(codes, code) != codes.end();
}

// Text of a server is shown as far as it is plain, so that it can do nothing to a terminal or a log.
std::string plain(std::string_view text)
{
    constexpr std::size_t most = 200;
    std::string out;
    for (const char c : text.substr(0, most)) out += c >= ' ' && c <= '~' ? c : '?';
    return out;
}

std::string header_of(const refused_answer& r, std::string_view name)
{
    const auto* value = http::find_header(r.headers, name);
    return value == nullptr ? std::string{} : *value;
}

fault refused_keys(const address& a, const refused_answer& r, const error_document& e)
{
    const auto keys = "the access keys from " + std::string{r.origin_of_keys};
    const auto store = "the object store at " + a.endpoint;
    const std::string check = "Check the access keys, and that they belong to this object store";
    if (e.code == "InvalidAccessKeyId")
        return {fault_code::repository_refused, store + " does not know " + keys, check};
    if (e.code == "SignatureDoesNotMatch")
        return {fault_code::repository_refused, store + " does not take " + keys + ": the secret key does not fit",
                check};
    if (is_one_of(e.code, {"ExpiredToken", "InvalidToken", "TokenRefreshRequired"}))
        return {fault_code::repository_refused,
                store + " does not take " + keys + ": they have expired or are not valid", "Renew them"};
    return {
        fault_code::repository_refused,
        store + " does not allow " + keys + " to " + std::string{r.wish} + " in the bucket " + a.bucket +
            (e.code.empty() ? std::string{} : " (" + plain(e.code) + ")"),
        "Allow them s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on what is in it"};
}

fault wrong_clock(const refused_answer& r)
{
    const auto theirs = http::parse_date(header_of(r, "Date"));
    std::string by;
    if (theirs) {
        const auto apart = std::chrono::duration_cast<std::chrono::milliseconds>(r.now - *theirs);
        by = " by " + base::to_words(std::chrono::abs(apart));
    }
    return {fault_code::clock_wrong, "this machine's clock differs from the object store's" + by,
            "Set the clock, and keep it set with NTP"};
}

fault wrong_region(const address& a, const std::string& region)
{
    return {fault_code::config_invalid,
            "the bucket " + a.bucket + " is not in the region " + a.region +
                (region.empty() ? std::string{} : " but in " + plain(region)),
            "Say region=" + (region.empty() ? std::string{"NAME"} : plain(region)) + " in the storage's address"};
}

fault no_success(const address& a, const refused_answer& r, const error_document& e)
{
    const auto said = "the object store at " + a.endpoint + " answered with status " + std::to_string(r.status) +
                      (e.code.empty() ? std::string{} : " " + plain(e.code)) + " when asked to " + std::string{r.wish} +
                      (e.message.empty() ? std::string{} : ": " + plain(e.message));
    // Damaged on the way: the bytes were right when they left. 409 is what Amazon says to two who write at once.
    const bool passing =
        r.status >= 500 || r.status == 429 || r.status == 408 || r.status == 409 ||
        is_one_of(e.code, {"RequestTimeout", "SlowDown", "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody"});
    if (passing) return {fault_code::server_failed, said, "Look at the object store if it stays"};
    return {fault_code::server_refused, said, "Check that the endpoint speaks the S3 protocol, and look at its log"};
}

} // namespace

fault answer_fault(const address& a, const refused_answer& r)
{
    const auto e = parse_error(r.body);
    auto region = e.region.empty() ? header_of(r, "x-amz-bucket-region") : e.region;
    if (is_one_of(e.code, {"RequestTimeTooSkewed", "RequestExpired"})) return wrong_clock(r);
    if (is_one_of(e.code, {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed"}) ||
        r.status == 301 || r.status == 307 || (r.status == 400 && !region.empty() && region != a.region))
        return wrong_region(a, region);
    if (e.code == "NoSuchBucket")
        return {fault_code::repository_missing, "there is no bucket " + a.bucket + " at " + a.endpoint,
                "Make the bucket, or correct the storage's address"};
    if (is_one_of(e.code, {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage"}) || r.status == 507)
        return {fault_code::disk_full, "the object store at " + a.endpoint + " is full, or the quota of its user is",
                "Make room there, or raise the quota"};
    if (r.status == 404) return {fault_code::not_found, "there is no such object in the bucket " + a.bucket, {}};
    if (r.status == 412)
        return {fault_code::conflict, "the object in the bucket " + a.bucket + " is not what it was taken for", {}};
    if (r.status == 401 || r.status == 403 ||
        is_one_of(e.code, {"InvalidAccessKeyId", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"}))
        return refused_keys(a, r, e);
    return no_success(a, r, e);
}

} // namespace xentz::s3
