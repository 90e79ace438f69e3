#include "agent/preflight.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::string_view rest = "rest:";
constexpr std::chrono::seconds longest_question{10};

result<repository_presence> judge(const http::client_response& answer)
{
    switch (answer.status) {
    case 200:
        return repository_presence::present;
    case 404:
        return repository_presence::absent;
    case 401:
    case 403:
        return fail(fault_code::repository_refused,
                    "the repository server refused the credential (" + std::to_string(answer.status) + ")",
                    "Run the agent again once the control plane can be reached, so that it gets the current one; if it "
                    "stays refused, ask an administrator");
    default:
        break;
    }
    return fail(fault_code::repository_unavailable,
                "the repository server cannot serve the repository (" + std::to_string(answer.status) + ")",
                "Look at the server's log: its storage may not be mounted");
}

result<repository_presence> ask_over_http(std::string_view url, http::client& client, std::stop_token stop)
{
    const auto parts = http::parse_url(url);
    if (!parts)
        return fail(fault_code::config_invalid, "the repository's address is no URL", "Enrol the machine again");
    http::client_request head;
    head.method = "HEAD";
    head.url = parts->url + (parts->url.ends_with('/') ? "" : "/") + "config";
    head.basic = parts->basic;
    head.timeout = longest_question;
    const auto answer = client.send(head, stop);
    if (answer) return judge(*answer);
    const auto& f = answer.error();
    const bool away = f.code == fault_code::network_unreachable || f.code == fault_code::network_timeout;
    return fail(away ? fault_code::repository_unreachable : f.code, "the repository cannot be reached: " + f.message,
                f.remedy);
}

} // namespace

result<repository_presence> find_repository(const std::string& address, http::client& client, engine::session& session,
                                            std::stop_token stop)
{
    if (address.starts_with(rest)) return ask_over_http(std::string_view{address}.substr(rest.size()), client, stop);
    auto newest = session.latest(std::nullopt, stop);
    if (newest) return repository_presence::present;
    if (newest.error().code == fault_code::repository_missing) return repository_presence::absent;
    return base::failed(newest);
}

std::string without_credential(const std::string& address)
{
    const bool is_rest = address.starts_with(rest);
    const auto parts = http::parse_url(is_rest ? std::string_view{address}.substr(rest.size()) : address);
    // A malformed address may hold a password as well.
    if (!parts) return base::redactor{}.clean(address);
    return (is_rest ? std::string{rest} : "") + parts->url;
}

} // namespace xentz::agent
