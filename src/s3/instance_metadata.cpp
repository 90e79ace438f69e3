// Amazon EC2 User Guide, "Retrieve instance metadata" (IMDSv2): a session token by PUT, then with it the name of the
// instance's role, and that role's keys as JSON.
#include "base/time_text.hpp"
#include "s3/credentials.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <utility>

namespace xentz::s3 {
namespace {

using base::fail;
using base::failed;
using base::fault_code;
namespace json = boost::json;

constexpr auto keys_path = "/latest/meta-data/iam/security-credentials/";

base::result<std::string> ask(http::client& client, const http::client_request& r)
{
    auto answer = client.send(r, {});
    if (!answer) return failed(answer);
    if (answer->status == 200 && !answer->body.empty()) return std::move(answer->body);
    if (answer->status == 404)
        return fail(fault_code::config_missing, "this instance has no role that would give it access keys",
                    "Give the instance a role, or put keys into the environment");
    return fail(fault_code::server_failed,
                "the instance metadata answered with status " + std::to_string(answer->status),
                "Check that the instance allows IMDSv2 and that its hop limit reaches this process");
}

std::string text_of(const json::object& from, std::string_view name)
{
    const auto* value = from.if_contains(json::string_view{name.data(), name.size()});
    const auto* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string{} : std::string{text->data(), text->size()};
}

base::result<credentials> parse_keys(std::string_view text)
{
    boost::system::error_code error;
    const auto document = json::parse(json::string_view{text.data(), text.size()}, error);
    const auto* object = error ? nullptr : document.if_object();
    if (object == nullptr) return fail(fault_code::protocol_error, "the instance metadata gave no JSON");
    credentials out{.access_key = text_of(*object, "AccessKeyId"),
                    .secret_key = text_of(*object, "SecretAccessKey"),
                    .session_token = text_of(*object, "Token"),
                    .expires_at = base::parse_rfc3339(text_of(*object, "Expiration")),
                    .origin = "the instance's role"};
    if (!out.access_key.empty() && !out.secret_key.empty() && out.expires_at) return out;
    return fail(fault_code::config_invalid, "the instance metadata gave no access keys",
                "Look at the role of the instance");
}

} // namespace

base::result<credentials> ask_instance_metadata(http::client& client, const std::string& endpoint)
{
    const auto token = ask(client, {.method = "PUT",
                                    .url = endpoint + "/latest/api/token",
                                    .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}}});
    if (!token) return std::unexpected(token.error());
    const std::vector<http::header> shown{{"X-aws-ec2-metadata-token", *token}};
    const auto roles = ask(client, {.url = endpoint + keys_path, .headers = shown});
    if (!roles) return std::unexpected(roles.error());
    const auto role = roles->substr(0, roles->find_first_of("\r\n"));
    const auto keys = ask(client, {.url = endpoint + keys_path + role, .headers = shown});
    if (!keys) return std::unexpected(keys.error());
    return parse_keys(*keys);
}

std::unique_ptr<http::client> make_metadata_client()
{
    return http::make_client({.connect_timeout = std::chrono::seconds{2},
                              .total_timeout = std::chrono::seconds{5},
                              .most_body_bytes = std::size_t{64} << 10U,
                              .allow_http = true,
                              .direct = true});
}

} // namespace xentz::s3
