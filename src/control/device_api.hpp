// The device API (docs/api.md): POST /v1/install, GET /v1/config, POST /v1/report, POST /v1/password, and for the
// machine that comes after a lost one POST /v1/recover, POST /v1/take-over. Threads: the handlers run on the
// server's threads, several at once.
#pragma once

#include "control/services.hpp"
#include "http/handler.hpp"
#include "wire/messages.hpp"

#include <expected>
#include <optional>
#include <string>

namespace xentz::control {

// `s` must outlive the router.
void add_device_api(http::router& router, services& s);

// The calls by themselves, for tests.
http::response install_call(services& s, const http::request& r);
http::response password_call(services& s, const http::request& r);
http::response recover_call(services& s, const http::request& r);
http::response take_over_call(services& s, const http::request& r);
http::response config_call(services& s, const http::request_head& head);
http::response report_call(services& s, const http::request& r);

constexpr std::size_t most_install_bytes = std::size_t{64} * 1024;
constexpr std::size_t most_report_bytes = std::size_t{256} * 1024;
// How long a lost answer of /v1/install may be asked for again.
constexpr std::chrono::minutes install_retry_window{15};

constexpr std::size_t most_password_bytes = std::size_t{16} * 1024;
// Of a repository, after the first; an administrator looks into it before there are more.
constexpr std::int64_t most_deposited_passwords = 100;
// How long a lost machine's repository may be read after a recovery token was exchanged: a restore takes its time.
constexpr std::chrono::days recovery_reads_for{7};

// What is wrong with what a machine says of itself, in a sentence.
std::optional<std::string> fault_in(const wire::device_metadata& m);
// Of the call; nothing where it has none. The problem where it is no key.
std::expected<std::optional<std::string>, http::problem> idempotency_key_of(const http::request_head& head);
// 200 of an install or a take-over: the device's key and its repository.
http::response enrolment_answer(services& s, const store::enrolled& e, const std::string& key);

// Adds to a success which epoch this control plane is in.
void tell_epoch(const services& s, http::response& answer);

// 400 `invalid-request` with what is wrong and where.
http::problem invalid_request(std::string detail);

} // namespace xentz::control
