// HTTP without a network: what stands for the servers lives in a `fake_network`, which answers by a function or by
// a list and remembers every request. Clients are handed out as often as a program asks for one.
// Threads: one thread at a time.
#pragma once

#include "http/client.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace xentz::fakes {

using http_answer = base::result<http::client_response>;

inline http_answer answer(int status, std::string body = {}, std::vector<http::header> headers = {})
{
    return http::client_response{.status = status, .headers = std::move(headers), .body = std::move(body)};
}

inline http_answer problem(int status, const std::string& type, const std::string& title,
                           const std::string& detail = "")
{
    return answer(status, std::get<std::string>(http::to_response({status, type, title, detail}).body));
}

inline http_answer no_network() { return base::fail(base::fault_code::network_unreachable, "no connection to host:1"); }

struct fake_network {
    // Asked first where it is set; nothing = go on with `answers`.
    std::function<std::optional<http_answer>(const http::client_request&)> serve;
    std::deque<http_answer> answers; // one for each request; none left = no network
    std::vector<http::client_request> requests;
    std::vector<http::client_options> options; // of each client that was made

    std::unique_ptr<http::client> connect(const http::client_options& o);

    // The requests to a path that ends so.
    std::vector<http::client_request> requests_to(std::string_view path) const
    {
        std::vector<http::client_request> out;
        std::ranges::copy_if(requests, std::back_inserter(out), [&](const auto& r) { return r.url.ends_with(path); });
        return out;
    }
};

class fake_http_client final : public http::client {
public:
    explicit fake_http_client(fake_network& network) : network_(network) {}

    http_answer send(const http::client_request& r, std::stop_token stop) override
    {
        if (stop.stop_requested()) return base::fail(base::fault_code::interrupted, "interrupted");
        network_.requests.push_back(r);
        if (network_.serve)
            if (auto served = network_.serve(r)) return std::move(*served);
        if (network_.answers.empty()) return no_network();
        auto next = std::move(network_.answers.front());
        network_.answers.pop_front();
        return next;
    }

private:
    fake_network& network_;
};

inline std::unique_ptr<http::client> fake_network::connect(const http::client_options& o)
{
    options.push_back(o);
    return std::make_unique<fake_http_client>(*this);
}

} // namespace xentz::fakes
