// What went wrong where libcurl gives a transfer up, as a fault of http/client.hpp, and whom it was with. For sources
// that use libcurl themselves.
// Threads: pure functions, but for the handle, which belongs to its caller.
#pragma once

#include "http/client.hpp"

#include <curl/curl.h>

#include <chrono>
#include <string>

namespace xentz::http {

struct destination {
    std::string name; // host:port, the only part of a URL that messages show
    std::string host;
    bool https = false;
};
destination destination_of(const url_parts& parts);

struct transport_limits {
    std::chrono::milliseconds connect;
    std::chrono::milliseconds answer;
    std::string trust_option = "--ca-file"; // what names further authorities, for the remedy
};

std::unexpected<base::fault> transport_fault(CURL* handle, CURLcode code, const transport_limits& limits,
                                             const destination& to);

} // namespace xentz::http
