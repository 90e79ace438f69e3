#include "control/device_api.hpp"

#include "control/authentication.hpp"
#include "control/config_document.hpp"

#include <algorithm>
#include <cctype>

namespace xentz::control {
namespace {

bool is_json(const http::request_head& head)
{
    const auto* type = head.find("Content-Type");
    if (type == nullptr) return true;
    auto media = type->substr(0, type->find(';'));
    std::ranges::transform(media, media.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    while (!media.empty() && media.back() == ' ') media.pop_back();
    return media == "application/json" || media.ends_with("+json");
}

using call = http::response (*)(services&, const http::request&);

// The media type is judged before a body is read.
std::function<http::admission(const http::request_head&)> json_call(services& s, std::size_t most, call then)
{
    return [&s, most, then](const http::request_head& head) -> http::admission {
        if (!is_json(head))
            return http::to_response({415, "unsupported-media-type", "the body must be JSON",
                                      "Send it with Content-Type: application/json."});
        return http::collect{.most = most, .then = [&s, then](const http::request& r) { return then(s, r); }};
    };
}

} // namespace

http::problem invalid_request(std::string detail)
{
    return {400, "invalid-request", "the request is not valid", std::move(detail)};
}

void tell_epoch(const services& s, http::response& answer)
{
    if (!s.epoch.empty()) answer.headers.push_back({wire::epoch_header, s.epoch});
}

http::response config_call(services& s, const http::request_head& head)
{
    const auto device = authenticate_device(s, head);
    if (!device) return http::to_response(device.error());
    auto document = config_document_of(s, *device);
    http::response answer;
    if (const auto* known = head.find("If-None-Match"); known != nullptr && matches_etag(*known, document.etag())) {
        answer.status = 304;
    } else {
        answer = http::json_response(200, std::move(document.body));
    }
    answer.headers.push_back({"ETag", document.etag()});
    // The document holds a credential.
    answer.headers.push_back({"Cache-Control", "private, no-cache"});
    tell_epoch(s, answer);
    return answer;
}

void add_device_api(http::router& router, services& s)
{
    router.add("POST", "/v1/install", json_call(s, most_install_bytes, install_call));
    router.add("POST", "/v1/password", json_call(s, most_password_bytes, password_call));
    router.add("POST", "/v1/recover", json_call(s, most_install_bytes, recover_call));
    router.add("POST", "/v1/take-over", json_call(s, most_install_bytes, take_over_call));
    router.add("POST", "/v1/report", json_call(s, most_report_bytes, report_call));
    router.add("GET", "/v1/config", [&s](const http::request_head& head) { return config_call(s, head); });
}

} // namespace xentz::control
