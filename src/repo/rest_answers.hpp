// What the repository server answers where it cannot do what was asked. The status decides what restic does next: 401,
// 403, 404, 416 and 507 end a run, all others are tried again for up to 15 minutes.
// Texts for clients name no path of the server; the log does.
//
// Threads: pure functions.
#pragma once

#include "base/fault.hpp"
#include "http/message.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace xentz::repo {

http::problem unauthorized();
http::problem too_many_attempts();
http::problem invalid_request(std::string detail);
http::problem invalid_name();
http::problem read_only_credential();
http::problem append_only_repository();
http::problem method_not_allowed();
http::problem unknown_path();
http::problem length_required();
http::problem too_large(std::uint64_t most_bytes);
http::problem cut_short();
http::problem range_not_satisfiable();
http::problem config_missing(std::string_view repository_id);
http::problem ledger_unavailable();
// A fault of the blob store.
http::problem storage_problem(const base::fault& f);

// With WWW-Authenticate where the status is 401 and Retry-After where it is 503.
http::response answer(const http::problem& p, std::chrono::seconds retry_after);

} // namespace xentz::repo
