// A handler in front of another one that gives each request an id and tells how it ended: what an access log and
// metrics are made of. The id is answered as X-Request-Id; a client on the own machine, which is a proxy, may bring
// one. Requests whose head is malformed never come to a handler and are not seen here.
//
// Threads: as http::handler; the observer may be called from several threads at once and must not throw.
// Ownership: what is handed in must outlive the handler and every body that it gave out.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "http/handler.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace xentz::http {

struct finished_request {
    std::string id;
    std::string method;
    std::string path;           // as sent, without the query
    std::string remote_address; // of the connection
    std::string user;           // of HTTP Basic, once the answer is not 401; empty otherwise
    int status = 0;             // 0: no answer was made, the client went before its body was whole
    std::uint64_t bytes_in = 0; // of the bodies
    std::uint64_t bytes_out = 0;
    std::chrono::microseconds duration{0}; // from the head to the last piece that was handed to the network
    bool broken_off = false;               // one of the bodies did not come to its end
};

using request_observer = std::function<void(const finished_request&)>;

// 1 to 64 of the characters A-Z a-z 0-9 . _ -
bool is_request_id(std::string_view text);

// "request id=4f0c... remote=127.0.0.1 method=GET path=/repo/... user=dev_1 status=200 in=0 out=42 ms=1.204", as logfmt
// has it: a value with other characters than these is quoted and escaped. Ends with " broken-off" where it was.
std::string to_log_line(const finished_request& r);

class observed_handler final : public handler {
public:
    observed_handler(handler& inner, const base::clock& clock, base::random_source& random, request_observer observer)
        : inner_(inner), clock_(clock), random_(random), observer_(std::move(observer))
    {
    }

    admission begin(const request_head& head) override;

private:
    std::string id_for(const request_head& head);

    handler& inner_;
    const base::clock& clock_;
    base::random_source& random_;
    request_observer observer_;
};

} // namespace xentz::http
