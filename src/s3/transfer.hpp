// One signed request to an object store, and its answer, on libcurl. The answer's body is drawn, not pushed: what
// nobody reads stays in the network, so a slow reader costs a connection and a quarter of a megabyte.
//
// Signatures are libcurl's (CURLOPT_AWS_SIGV4 of 7.88). What it needs from here: x-amz-content-sha256 on every request,
// a sorted query, and no header that takes one of its own away.
// Threads: a transfer by one thread at a time; `lines` by any.
// Errors: those of http/client.hpp, and those of the payload.
#pragma once

#include "base/fault.hpp"
#include "http/transport_fault.hpp"
#include "s3/address.hpp"
#include "s3/credentials.hpp"

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace xentz::s3 {

// The bytes of an object that is sent. `read` may be called for any part again: a request is repeated where it fails.
struct payload {
    std::uint64_t bytes = 0;
    std::string sha256; // in hex
    std::function<base::result<std::size_t>(std::uint64_t offset, std::span<char> out)> read;
};
// Of bytes that outlive it.
payload payload_of(std::string_view bytes);

struct request {
    std::string method; // GET, HEAD, PUT, DELETE
    std::string url;
    std::vector<http::header> headers;
    std::string range;             // "0-99"
    const payload* body = nullptr; // of PUT; none is an empty one
    std::string_view wish;         // "read an object", for messages
};

struct time_limits {
    std::chrono::milliseconds connect = std::chrono::seconds{10};
    // No byte in either direction for so long ends a transfer.
    std::chrono::seconds silence = std::chrono::seconds{30};
};

// Handles of libcurl that are not in use, with the connections that they keep open.
class lines {
public:
    struct line {
        CURLM* multi = nullptr;
        CURL* easy = nullptr;
    };
    lines();
    ~lines();
    lines(const lines&) = delete;
    lines& operator=(const lines&) = delete;

    line take();
    void give_back(line l);

private:
    std::mutex mutex_;
    std::vector<line> idle_;
};

class transfer {
public:
    // All but `keys` must outlive it.
    transfer(lines& from, const address& a, const time_limits& limits, const request& r, const credentials& keys);
    ~transfer();
    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;

    // Sends the request and waits for the head of the answer. Once, before everything else.
    base::result<> begin();
    int status() const { return status_; }
    const std::vector<http::header>& headers() const { return headers_; }
    // Fills a front part of `out` with what comes next of the body; 0 only at its end.
    base::result<std::size_t> read(std::span<char> out);
    // All that is left of the body; protocol_error where that is more than `most`.
    base::result<std::string> read_all(std::size_t most);

private:
    bool prepare(const credentials& keys);
    bool prepare_body();
    void add_header(const std::string& line);
    void advance();
    std::unexpected<base::fault> failure();

    static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user);
    static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user);
    static std::size_t give_body(char* out, std::size_t size, std::size_t count, void* user);
    static int seek_body(void* user, curl_off_t offset, int origin);

    lines& from_;
    lines::line line_;
    const address& address_;
    const time_limits& limits_;
    const request& request_;
    curl_slist* sent_headers_ = nullptr;

    std::uint64_t sent_ = 0;
    std::optional<base::fault> unreadable_; // of the payload

    int status_ = 0;
    std::vector<http::header> headers_;
    std::size_t header_bytes_ = 0;
    bool head_complete_ = false;
    std::string held_; // bytes of the body that nobody has read yet, from `at_` on
    std::size_t at_ = 0;
    bool paused_ = false;
    bool moved_ = false; // something has happened since this was last looked at
    bool done_ = false;
    CURLcode outcome_ = CURLE_OK;
    bool prepared_; // the last: preparing it uses the others
};

} // namespace xentz::s3
