#include "agent/control_plane.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

bool has_type(const std::optional<http::problem>& p, std::string_view type)
{
    if (!p) return false;
    return p->type == type || p->type.ends_with("/" + std::string{type}) || p->type.ends_with(":" + std::string{type});
}

std::string reason(const std::optional<http::problem>& p, int status)
{
    if (!p) return "HTTP " + std::to_string(status);
    return p->title + (p->detail.empty() ? "" : " (" + std::string{base::cut_utf8(p->detail, 300)} + ")");
}

// Every answer but 200 and 304.
std::unexpected<base::fault> refusal(const http::client_response& answer)
{
    const auto p = http::parse_problem(answer.body);
    const auto why = reason(p, answer.status);
    if (has_type(p, "device-revoked"))
        return fail(fault_code::device_revoked, "the control plane has revoked this device",
                    "Ask an administrator; a new install token enrols the machine again");
    if (p && p->type.find("token-") != std::string::npos)
        return fail(fault_code::token_refused, "the server refused the token: " + p->title,
                    "Ask an administrator for a new token");
    if (answer.status >= 500 || answer.status == 429)
        return fail(fault_code::server_failed, "the server cannot answer now: " + why,
                    "Try again later; if it stays so, look at the server");
    if (answer.status >= 300 && answer.status < 400)
        return fail(fault_code::protocol_error, "the server redirects elsewhere, which is never followed",
                    "Use the server's final address");
    const bool for_good = answer.status == 400 || answer.status == 413 || answer.status == 415 || answer.status == 422;
    return fail(for_good ? fault_code::content_refused : fault_code::server_refused, "the server refused: " + why,
                "Ask the server's administrator");
}

std::unexpected<base::fault> not_the_server(std::string_view what)
{
    return fail(fault_code::protocol_error, "the answer is not one of a xentz server: " + std::string{what},
                "Check the server's address; a network that asks for a log-in first gives such answers");
}

http::client_request json_post(std::string url, std::string body)
{
    http::client_request r;
    r.method = "POST";
    r.url = std::move(url);
    r.body = std::move(body);
    r.headers.push_back({"Content-Type", "application/json"});
    return r;
}

} // namespace

control_plane::control_plane(http::client& client, std::string server_url)
    : client_(client), server_url_(std::move(server_url))
{
}

result<http::client_response> control_plane::send(http::client_request r, std::stop_token stop)
{
    r.headers.push_back({"Accept", "application/json"});
    auto answer = client_.send(r, stop);
    if (!answer) return answer;
    if (const auto time = answer->server_time()) server_time_ = time;
    if (answer->status != 200 && answer->status != 304) return refusal(*answer);
    if (const auto* epoch = answer->find(wire::epoch_header)) epoch_ = *epoch;
    return answer;
}

template <class Answer>
result<Answer> control_plane::exchange(const std::string& path, const std::string& token,
                                       const std::string& idempotency_key, std::string body, std::stop_token stop)
{
    auto request = json_post(server_url_ + path, std::move(body));
    request.headers.push_back({"Authorization", "Bearer " + token});
    request.headers.push_back({"Idempotency-Key", idempotency_key});
    auto answer = send(std::move(request), std::move(stop));
    if (!answer) return base::failed(answer);
    auto decoded = wire::decode<Answer>(answer->body);
    if (!decoded) return not_the_server(decoded.error().message);
    return decoded;
}

result<wire::install_response> control_plane::install(const std::string& token, const std::string& idempotency_key,
                                                      const wire::install_request& r, std::stop_token stop)
{
    return exchange<wire::install_response>("/v1/install", token, idempotency_key, wire::encode(r), std::move(stop));
}

result<wire::recover_response> control_plane::recover(const std::string& token, const std::string& idempotency_key,
                                                      const wire::recover_request& r, std::stop_token stop)
{
    return exchange<wire::recover_response>("/v1/recover", token, idempotency_key, wire::encode(r), std::move(stop));
}

result<wire::install_response> control_plane::take_over(const std::string& token, const std::string& idempotency_key,
                                                        const wire::take_over_request& r, std::stop_token stop)
{
    return exchange<wire::install_response>("/v1/take-over", token, idempotency_key, wire::encode(r), std::move(stop));
}

result<std::optional<fetched_config>>
control_plane::config(const std::string& device_key, const std::optional<std::string>& etag, std::stop_token stop)
{
    http::client_request request;
    request.url = server_url_ + "/v1/config";
    request.headers.push_back({"Authorization", "Bearer " + device_key});
    if (etag) request.headers.push_back({"If-None-Match", *etag});
    auto answer = send(std::move(request), stop);
    if (!answer) return base::failed(answer);
    if (answer->status == 304 && !etag) return not_the_server("304 to a call that named no version");
    if (answer->status == 304) return std::optional<fetched_config>{};
    auto config = wire::decode_config(answer->body);
    if (!config) return not_the_server(config.error().message);
    const auto* tag = answer->find("ETag");
    return fetched_config{std::move(*config), tag != nullptr ? *tag : "", std::move(answer->body)};
}

result<> control_plane::hand_over(const std::string& device_key, const wire::password_message& m, std::stop_token stop)
{
    auto request = json_post(server_url_ + "/v1/password", wire::encode(m));
    request.headers.push_back({"Authorization", "Bearer " + device_key});
    auto answer = send(std::move(request), std::move(stop));
    if (!answer) return base::failed(answer);
    const auto kept = wire::decode<wire::password_answer>(answer->body);
    if (!kept || !kept->kept) return not_the_server("it does not say that it keeps the password");
    return {};
}

result<> control_plane::report(const std::string& device_key, const std::string& body, const std::string& report_id,
                               std::stop_token stop)
{
    auto request = json_post(server_url_ + "/v1/report", body);
    request.headers.push_back({"Authorization", "Bearer " + device_key});
    auto answer = send(std::move(request), stop);
    if (!answer) return base::failed(answer);
    const auto echo = wire::decode<wire::report_answer>(answer->body);
    if (!echo || echo->report_id != report_id) return not_the_server("it does not name the report");
    return {};
}

} // namespace xentz::agent
