// Requests and responses as plain data, for the server's handlers and for the client.
// Header names are compared without regard to case (RFC 9110).
#pragma once

#include "base/clock.hpp"
#include "base/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace xentz::http {

struct header {
    std::string name;
    std::string value;
};

// The first header of that name.
const std::string* find_header(const std::vector<header>& headers, std::string_view name);

struct request_head {
    std::string method; // upper case: "GET", "HEAD", "POST", "DELETE", ...
    std::string path;   // as sent, still percent-encoded, without the query
    std::string query;  // as sent, without the '?'
    std::vector<header> headers;
    std::optional<std::uint64_t> content_length; // absent: no body, or a chunked one
    bool chunked = false;
    std::string remote_address; // "127.0.0.1": the client's, as far as it is known (http/client_address.hpp)
    bool tls = false;
    std::string request_id; // by http/observed_handler.hpp; empty where nobody gave one

    const std::string* find(std::string_view name) const { return find_header(headers, name); }
};

struct request {
    request_head head;
    std::string body; // complete
};

// A body that is produced while it is sent. One call at a time, which may block.
class body_source {
public:
    virtual ~body_source() = default;
    // Fills a front part of `out` and says how much; 0 = the end. A fault closes the connection.
    virtual base::result<std::size_t> read(std::span<char> out) = 0;
    // Sends up to `most` bytes of what is left straight into a socket that does not block, where that spares a copy:
    // how many, 0 where the socket takes none now. Nothing where this source cannot; it is read then.
    virtual base::result<std::optional<std::size_t>> send_to(int /*socket*/, std::uint64_t /*most*/)
    {
        return std::nullopt;
    }
};

struct response {
    int status = 200;
    std::vector<header> headers;
    std::variant<std::string, std::unique_ptr<body_source>> body;
    // The length of a body_source, or what HEAD says; absent = chunked.
    std::optional<std::uint64_t> content_length;
};

// An error as RFC 9457 problem details. `type` is the stable name that programs match, for example
// "device-revoked"; `title` says what is wrong in a few words; `detail` is for people: what and what to do.
struct problem {
    int status = 500;
    std::string type;
    std::string title;
    std::string detail;
};

response to_response(const problem& p);

// Reads a problem from a response's body; nothing where it is none.
std::optional<problem> parse_problem(std::string_view body);

response json_response(int status, std::string body);

// user and password of an `Authorization: Basic` header, the token of a `Bearer` one.
struct basic_credentials {
    std::string user;
    std::string password;
};
std::optional<basic_credentials> basic_auth(const request_head& head);
std::optional<std::string> bearer_token(const request_head& head);

// A date of HTTP (RFC 9110, 5.6.7), whole seconds: "Sun, 06 Nov 1994 08:49:37 GMT". http/client.hpp reads it.
std::string to_date(base::time_point t);

// The first value of `key` in a query string, decoded as browsers encode it (%XX, "+" for a space); nothing where it
// is absent or malformed.
std::optional<std::string> query_value(std::string_view query, std::string_view key);

} // namespace xentz::http
