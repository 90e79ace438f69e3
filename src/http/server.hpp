// An HTTP/1.1 server (Boost.Beast), plain or TLS. The only coroutines of the house live in its sources.
#pragma once

#include "base/fault.hpp"
#include "base/log.hpp"
#include "http/client_address.hpp"
#include "http/handler.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::http {

struct listen_address {
    std::string host;       // a literal IPv4 or IPv6 address
    std::uint16_t port = 0; // 0 = any free one
};

// "127.0.0.1:8080", "[::1]:8080"
base::result<listen_address> parse_listen_address(std::string_view text);

struct tls_files {
    std::filesystem::path certificate_chain; // PEM
    std::filesystem::path private_key;       // PEM
};

struct server_options {
    std::vector<listen_address> listen;
    std::optional<tls_files> tls;
    trusted_proxies proxies; // whose X-Forwarded-For becomes request_head::remote_address
    std::chrono::milliseconds idle_timeout = std::chrono::seconds{120};  // between requests
    std::chrono::milliseconds header_timeout = std::chrono::seconds{20}; // for a request's head or a TLS handshake
    std::chrono::milliseconds body_timeout = std::chrono::seconds{60};   // without any progress, reading or writing
    std::chrono::milliseconds stop_grace = std::chrono::seconds{30};     // for requests under way at a stop
    std::size_t most_header_bytes = 16 * 1024;                           // more is answered 431
    unsigned handlers_at_once = 32; // each holds a thread; two more are there for the network
};

class server {
public:
    virtual ~server() = default;
    // The addresses in the order given, with the ports really bound.
    virtual std::vector<listen_address> addresses() const = 0;
    // Serves until a stop is requested; then accepts nothing new, lets requests under way finish (at most
    // stop_grace), answers them with `Connection: close`, and returns.
    virtual void run(std::stop_token stop) = 0;
    // Reads the TLS files again, for connections that come from now on. It does so by itself when their times or sizes
    // change. Where they cannot be used, the log says so and the pair before them goes on. From any thread.
    virtual void reload_certificate() = 0;
};

// Binds at once, so that a taken port is known here (conflict; another address that cannot be used, or a TLS file, is
// config_invalid, what is no address invalid_value). `h` and `log` must outlive the server, which runs once.
base::result<std::unique_ptr<server>> make_server(const server_options& options, handler& h, base::logger& log);

} // namespace xentz::http
