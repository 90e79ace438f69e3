// The restic REST protocol (restic doc/REST_backend.rst, versions 1 and 2) over a blob store, to be mounted at /repo/.
// Success is exactly 200, or 206 for a part; an object is acknowledged when it is durable.
//
// In this order: 429 for whoever guesses (repo/login_throttle.hpp), 401 for whoever the ledger does not know, 503 while
// the storage is not there, 503 where a repository that was initialised has lost its config (never 404: restic would be
// told to make it anew), 403 where the protection of the repository or the kind of credential forbids it
// (repo/rights.hpp), then the request. Each refused or failed request of a repository is one warning in the log, with
// its cause. Threads: as http::handler. The store, the ledger and the logger must outlive the handler and its bodies.
#pragma once

#include "base/log.hpp"
#include "http/handler.hpp"
#include "repo/blob_store.hpp"
#include "repo/ledger.hpp"
#include "repo/login_throttle.hpp"
#include "repo/target.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xentz::repo {

struct rest_options {
    std::uint64_t most_object_bytes = std::uint64_t{1} << 30U;
    std::uint64_t most_small_bytes = std::uint64_t{1} << 20U; // config, keys, locks
    std::chrono::seconds retry_after{60};                     // told with each 503
    login_throttle* throttle = nullptr;                       // must outlive the handler; absent: nobody is slowed
};

class rest_handler final : public http::handler {
public:
    rest_handler(blob_store& store, ledger& l, base::logger& log, rest_options options = {});

    http::admission begin(const http::request_head& head) override;

private:
    struct call;

    std::optional<access> enter(const http::request_head& head, const located& at, std::optional<http::response>& no);
    http::admission admit(const http::request_head& head);
    std::optional<http::response> unavailable(const call& c, const address& where, access& who);
    http::admission dispatch(const call& c);
    std::optional<http::response> forbidden(const call& c);
    http::admission object_request(const call& c);
    http::response create(const call& c);
    http::response list(const call& c);
    http::response head_of_object(const call& c);
    http::response get(const call& c);
    http::response remove(const call& c);
    http::admission receive(const call& c);

    void remember_config(const call& c);
    http::response refuse(const call& c, const http::problem& p, std::string_view cause = {});
    http::response not_allowed(const call& c, std::string allow);

    blob_store& store_;
    ledger& ledger_;
    base::logger& log_;
    rest_options options_;
};

} // namespace xentz::repo
