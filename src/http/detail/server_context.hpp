// What all connections of a running server share: the handler, the log, the turns for what blocks, and the list of
// connections by which a stop reaches them.
//
// Threads: everything here may be used from any thread at once. A connection lives as long as its coroutine; the
// context outlives all of them.
#pragma once

#include "base/log.hpp"
#include "http/detail/blocking_turns.hpp"
#include "http/detail/exchange.hpp"
#include "http/detail/piece_pool.hpp"
#include "http/handler.hpp"
#include "http/server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>

namespace xentz::http::detail {

using steady_time = std::chrono::steady_clock::time_point;

class connection {
public:
    virtual ~connection() = default;
    // All return at once; the connection acts on its own thread.
    virtual void close_if_late(steady_time now) = 0; // where it waits for the client longer than it may
    virtual void close_if_idle() = 0;
    virtual void abort() = 0;
};

class connection_list {
public:
    void add(const std::shared_ptr<connection>& c);
    void remove(const connection* c);
    std::vector<std::shared_ptr<connection>> all() const;
    void wait_until_empty() const;
    bool wait_until_empty(std::chrono::milliseconds at_most) const;

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::map<const connection*, std::weak_ptr<connection>> connections_;
};

struct server_context {
    server_context(const server_options& o, handler& h, base::logger& l)
        : options{o}, target{h}, log{l}, turns{o.handlers_at_once}
    {
    }

    const server_options& options;
    handler& target;
    base::logger& log;
    blocking_turns turns;
    piece_pool pieces;
    connection_list connections;
    std::atomic<bool> draining = false; // a stop was requested
};

// Runs `work`, which may block, on this thread, in a turn of its own.
inline task<> run_blocking(server_context& context, const std::function<void()>& work)
{
    if (!context.turns.try_take()) co_await context.turns.wait();
    const blocking_turns::taken turn{context.turns};
    work();
}

// What a handler does, with every exception made an answer 500. To be called in a turn.
admission begin_request(server_context& context, const exchange& e);
response finish_collect(server_context& context, const exchange& e, collect& c, std::string body);
// Gives the sink a piece, which may be empty, and with the last one finishes it. An answer ends the upload, and the
// sink is gone then. `failed` is set unless it was `finish` that answered.
std::optional<response> give_piece(server_context& context, const exchange& e, std::unique_ptr<body_sink>& sink,
                                   std::span<const char> bytes, bool last, bool& failed);
// A line in the log about a request that failed.
void report_failure(server_context& context, const exchange& e, std::string_view what);
// The number of bytes read; the source is gone when it has come to its end. Nothing where it failed.
std::optional<std::size_t> take_piece(server_context& context, const exchange& e, std::unique_ptr<body_source>& source,
                                      std::span<char> out, std::optional<std::uint64_t> left);

// Starts to serve a connection that was accepted.
void start_plain_session(server_context& context, boost::asio::ip::tcp::socket socket);
// What `tls` holds is kept by the connection; `tls` itself need not outlive the call.
void start_tls_session(server_context& context, boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls);

} // namespace xentz::http::detail
