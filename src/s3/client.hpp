// A small client of S3, as Amazon, Ceph's gateway and others speak it: what a store of objects needs, and nothing more.
// Keys are relative to the address's prefix.
//
// Every call may be repeated without harm, and is, with growing pauses, where the store cannot be reached or cannot
// answer now. One that hangs is not waited for by all (s3/outage.hpp). An object appears whole or not at all; its bytes
// are checked by the store (x-amz-content-sha256).
//
// Memory: a call holds some hundred kilobytes, whatever the size of the object.
// Errors: not_found, conflict, the others of s3/answer_fault.hpp, and those of transports (http/client.hpp).
// Threads: may be used from any thread at once; each call blocks. What it hands out must not outlive it.
#pragma once

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "base/random.hpp"
#include "s3/address.hpp"
#include "s3/credentials.hpp"
#include "s3/outage.hpp"
#include "s3/transfer.hpp"
#include "s3/xml.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace xentz::s3 {

struct client_options {
    time_limits limits;
    int attempts = 5;
    std::chrono::milliseconds first_pause{200}; // doubled with each attempt, and spread
    std::chrono::milliseconds longest_pause{3000};
    // After so long no further attempt is begun.
    std::chrono::seconds patience{25};
    std::function<void(std::chrono::milliseconds)> wait; // empty: sleeps
};

struct object_head {
    std::uint64_t bytes = 0;
    base::time_point stored_at; // by the store's clock, to the second
    std::string tag;            // its version (ETag)
};

enum class when_present { replace, refuse };

// A part of an object, as it arrives. Where it breaks off it is asked for anew from there.
class download {
public:
    virtual ~download() = default;
    // Fills a front part of `out`; 0 only at the end. conflict where the object is another one by now.
    virtual base::result<std::size_t> read(std::span<char> out) = 0;
};

class client {
public:
    client(address a, std::unique_ptr<credential_source> keys, const base::clock& clock, base::random_source& random,
           client_options options = {});

    const address& where() const { return address_; }

    // conflict where an object is there and must not be.
    base::result<> put(std::string_view key, const payload& body, when_present present = when_present::replace);
    base::result<object_head> head(std::string_view key);
    // A small object; invalid_value where it is larger than `most`.
    base::result<std::string> get(std::string_view key, std::size_t most);
    // `length` bytes from `first` on, of the version with this tag. Sends nothing before the first read.
    std::unique_ptr<download> get_part(std::string_view key, std::uint64_t first, std::uint64_t length,
                                       std::string tag);
    base::result<> remove(std::string_view key); // no error where it is missing
    // Within the store; replaces what is there.
    base::result<> copy(std::string_view from, std::string_view to);

    struct list_request {
        std::string prefix;     // of keys
        bool by_folder = false; // what has a further slash is a folder
        std::string after;      // page::next of the page before
        int most = 1000;
    };
    // A page of keys, sorted. not_found is none of its errors: a prefix that nothing has is an empty page.
    base::result<page> list(const list_request& l);

private:
    class part;

    base::result<> persist(const std::function<base::result<>()>& attempt);
    // One attempt: the answer, if it is a success.
    base::result<std::unique_ptr<transfer>> ask(const request& r);
    base::result<> ask_briefly(const request& r); // and nothing of the answer's body is wanted
    base::result<> copy_once(const request& r);
    bool has_other_keys();
    void pause(int failures);

    address address_;
    std::unique_ptr<credential_source> keys_;
    const base::clock& clock_;
    base::random_source& random_;
    client_options options_;
    lines lines_;
    outage outage_;
};

} // namespace xentz::s3
