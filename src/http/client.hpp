// A small HTTP client (libcurl). Redirects are never followed: a credential goes where it was meant to go or
// nowhere.
//
// Errors are faults of the transport only: network_unreachable, network_timeout, tls_failed, insecure_transport,
// protocol_error (the answer is too large or no HTTP), interrupted (by the stop token, within a second),
// invalid_value (the URL or a header is malformed). Every answer of a server, also 500, is a result.
// Messages name host and port only, never a path, a query or a credential.
// Threads: may be used from any thread at once; `send` blocks.
#pragma once

#include "base/clock.hpp"
#include "http/message.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::http {

struct client_options {
    std::chrono::milliseconds connect_timeout = std::chrono::seconds{10};
    std::chrono::milliseconds total_timeout = std::chrono::seconds{30};
    std::size_t most_body_bytes = std::size_t{4} << 20U;
    std::optional<std::filesystem::path> ca_file; // instead of the system's certificate authorities
    // Plain HTTP to anything but a literal loopback address is refused (insecure_transport) unless this is set.
    bool allow_http = false;
    bool direct = false; // past a proxy that the environment names
    std::string user_agent = "xentz";
};

struct client_request {
    std::string method = "GET"; // GET, HEAD, POST, DELETE; PUT without a body
    std::string url;            // http:// or https://, without user and password
    std::vector<header> headers;
    std::string body;
    std::optional<basic_credentials> basic;
    std::optional<std::chrono::milliseconds> timeout; // instead of total_timeout
};

struct client_response {
    int status = 0;
    std::vector<header> headers;
    std::string body;
    const std::string* find(std::string_view name) const { return find_header(headers, name); }
    // The server's clock when it answered, from the Date header.
    std::optional<base::time_point> server_time() const;
};

// A date of HTTP (RFC 9110, 5.6.7), of the years 1970 to 9999; nothing where the text is none.
std::optional<base::time_point> parse_date(std::string_view text);

class client {
public:
    virtual ~client() = default;
    virtual base::result<client_response> send(const client_request& r, std::stop_token stop) = 0;
};

std::unique_ptr<client> make_client(client_options options);

// scheme://user:password@host:port/path taken apart; user and password percent-decoded. invalid_value, without
// the text of the URL in the message, where it is none.
struct url_parts {
    std::string url; // without user and password
    std::optional<basic_credentials> basic;
    std::string host;
    bool https = false;
};
base::result<url_parts> parse_url(std::string_view url);

// 127.0.0.0/8 or ::1 written as a number: "localhost" is a name and does not count.
bool is_literal_loopback(std::string_view host);

} // namespace xentz::http
