// Helpers for tests of the server and the client over loopback: a running server, a client that speaks raw bytes,
// a server that says whatever a test wants, sinks and sources that can be watched.
// Threads: each helper says which of its functions other threads may call.
#pragma once

#include "http/client.hpp"
#include "http/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace xentz::http::testing {

using namespace std::chrono_literals;

// A state that tests wait for; usable from any thread.
class watched {
public:
    template <class F>
    void change(F f)
    {
        const std::lock_guard lock{mutex_};
        f();
        changed_.notify_all();
    }
    template <class Predicate>
    bool wait(Predicate p, std::chrono::milliseconds at_most = 20s)
    {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, at_most, p);
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
};

// A barrier that a test opens; usable from any thread.
class gate {
public:
    void open()
    {
        state_.change([this] { open_ = true; });
    }
    void pass()
    {
        state_.wait([this] { return open_; });
    }

private:
    watched state_;
    bool open_ = false;
};

class memory_log final : public base::logger {
public:
    void write(base::log_level level, std::string_view message) override;
    bool contains(std::string_view text) const;

private:
    mutable std::mutex mutex_;
    std::string lines_;
};

class function_handler final : public handler {
public:
    explicit function_handler(std::function<admission(const request_head&)> begin) : begin_{std::move(begin)} {}
    admission begin(const request_head& head) override { return begin_(head); }

private:
    std::function<admission(const request_head&)> begin_;
};

// Generous limits, so that a slow machine fails no test; tests of a limit set their own.
server_options test_options();

class running_server {
public:
    explicit running_server(handler& h, server_options options = test_options());
    explicit running_server(std::function<admission(const request_head&)> begin,
                            server_options options = test_options());
    ~running_server();

    std::uint16_t port() const { return port_; }
    std::string url(const std::string& path) const;
    const memory_log& log() const { return log_; }
    void request_stop() { thread_.request_stop(); }
    void reload_certificate() { server_->reload_certificate(); }
    // True if `run` has returned in time.
    bool ended_within(std::chrono::milliseconds at_most);

private:
    void start(const server_options& options);

    std::unique_ptr<function_handler> own_;
    handler& handler_;
    memory_log log_;
    std::unique_ptr<server> server_;
    std::uint16_t port_ = 0;
    bool tls_ = false;
    watched state_;
    bool ended_ = false;
    std::jthread thread_;
};

struct raw_response {
    int status = 0;
    std::vector<header> headers;
    std::string body;
    std::string find(std::string_view name) const;
};

// One TCP connection to 127.0.0.1, for one thread.
class raw_connection {
public:
    raw_connection();
    explicit raw_connection(std::uint16_t port);
    ~raw_connection();
    raw_connection(const raw_connection&) = delete;
    raw_connection& operator=(const raw_connection&) = delete;

    void connect(std::uint16_t port);
    bool connected() const { return connected_; }
    // False if the other side is gone.
    bool send(std::string_view bytes);
    // Sends until nothing is taken for `patience` any more; the number of bytes that went out.
    std::size_t send_what_fits(std::string_view bytes, std::chrono::milliseconds patience);
    // One whole response; status 0 if the connection ended before it was complete.
    raw_response receive(bool to_head = false);
    std::string receive_until_closed();
    // True if the other side closes in time without another byte.
    bool closed_within(std::chrono::milliseconds at_most);
    void close_sending();
    void close();

private:
    bool fill();
    std::string take(std::size_t bytes);
    std::string take_line();

    int socket_ = -1;
    bool connected_ = false;
    std::string received_;
};

// Accepts connections one after the other, reads a head, says `answer` and closes, or with `hold` says nothing
// and keeps the connection open.
class canned_server {
public:
    explicit canned_server(std::string answer, bool hold = false);
    ~canned_server();
    std::uint16_t port() const { return port_; }
    // The heads received; from any thread.
    std::string heads();
    std::size_t connections();
    bool wait_for_connection();

private:
    void serve(const std::stop_token& stop);

    std::string answer_;
    bool hold_;
    int socket_ = -1;
    std::uint16_t port_ = 0;
    watched state_;
    std::string heads_;
    std::size_t connections_ = 0;
    std::jthread thread_;
};

// A part of an endless text in which a piece that is lost or moved shows.
std::string pattern_text(std::uint64_t offset, std::size_t size);

// Changed by the server's threads within `state`; a test may look at each by itself at any time.
struct sink_record {
    watched state;
    std::atomic<std::uint64_t> bytes = 0;
    std::atomic<std::size_t> largest_piece = 0;
    std::atomic<bool> correct = true; // every byte was that of the pattern
    std::atomic<bool> finished = false;
    std::atomic<bool> destroyed = false;
};

// What a sink does apart from recording.
struct sink_script {
    std::function<base::result<>(std::uint64_t bytes_before)> on_write;
    std::function<void()> on_finish;
};

std::unique_ptr<body_sink> make_sink(sink_record& record, sink_script script = {});

struct source_record {
    watched state;
    std::atomic<std::uint64_t> produced = 0;
    std::atomic<bool> destroyed = false;
};

// Produces `size` bytes of the pattern, in pieces of at most `piece`; `fail_at` bytes in, it fails.
std::unique_ptr<body_source> make_source(source_record& record, std::uint64_t size, std::size_t piece = 100000,
                                         std::optional<std::uint64_t> fail_at = {});

// The same, which also sends itself into a socket, but for every third time, when it says that the socket takes
// nothing.
std::unique_ptr<body_source> make_sending_source(source_record& record, std::uint64_t size);

response text_response(std::string body, int status = 200);
client_request get(std::string url);
client_request post(std::string url, std::string body);

// Of send(), with the test failing where it is a fault.
client_response exchange_with(client& c, const client_request& r);

} // namespace xentz::http::testing
