// Who a request comes from, also behind a proxy: a proxy that is trusted says so in X-Forwarded-For, anybody else may
// write into that header what he likes.
//
// Threads: pure functions; a trusted_proxies is constant once made.
#pragma once

#include "base/fault.hpp"
#include "http/message.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::http {

class trusted_proxies {
public:
    // "127.0.0.1", "10.0.0.0/8", "fd00::/8"; something else is invalid_value.
    static base::result<trusted_proxies> parse(const std::vector<std::string>& texts);

    // `peer`, which is at the other end of the connection, or, where that is one of these proxies, the last address in
    // X-Forwarded-For that is none of them. What is no address ends the search.
    std::string client_of(const std::string& peer, const std::vector<header>& headers) const;

private:
    struct range {
        std::array<std::uint8_t, 16> bytes{}; // IPv4 as ::ffff:a.b.c.d
        unsigned bits = 128;
    };
    bool contains(std::string_view address) const;
    std::vector<range> ranges_;
};

// What counts as one source: an IPv4 address itself, of an IPv6 address its first 64 bits, since whoever has one has
// all below them. What is no address is returned as it is.
std::string network_of(std::string_view address);

} // namespace xentz::http
