// The device API (docs/api.md): POST /v1/install, GET /v1/config, POST /v1/report.
// Threads: the handlers run on the server's workers, several at once.
#pragma once

#include "control/services.hpp"
#include "http/handler.hpp"

namespace xentz::control {

// `s` must outlive the router.
void add_device_api(http::router& router, services& s);

// The three calls by themselves, for tests.
http::response install_call(services& s, const http::request& r);
http::response config_call(services& s, const http::request_head& head);
http::response report_call(services& s, const http::request& r);

constexpr std::size_t most_install_bytes = std::size_t{64} * 1024;
constexpr std::size_t most_report_bytes = std::size_t{256} * 1024;
// How long a lost answer of /v1/install may be asked for again.
constexpr std::chrono::minutes install_retry_window{15};

// Adds to a success which epoch this control plane is in.
void tell_epoch(const services& s, http::response& answer);

// 400 `invalid-request` with what is wrong and where.
http::problem invalid_request(std::string detail);

} // namespace xentz::control
