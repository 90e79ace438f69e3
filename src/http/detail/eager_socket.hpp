// The socket of a connection, with which what can be done without waiting is done at once. Only what must wait goes
// through Asio and the queue of all connections. A client that keeps a connection busy gives way to the others in
// between.
//
// Time limits: each wait has one, which the owner sets before. It is no timer, which would cost more than the wait: the
// server looks from time to time who is late (connection::close_if_late), and closes the socket.
//
// Threads: everything happens on the strand of the socket, `is_late` from any thread. Errors: of the socket; eof at the
// client's end, operation_aborted where it was closed here.
#pragma once

#include "http/detail/blocking_turns.hpp"
#include "http/detail/ready_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <unistd.h>
#include <utility>

namespace xentz::http::detail {

constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

class eager_socket {
public:
    using executor_type = boost::asio::ip::tcp::socket::executor_type;

    // Asio would make it one that does not block only once it waits for the first time; a file may be sent before.
    explicit eager_socket(boost::asio::ip::tcp::socket socket) : socket_{std::move(socket)}
    {
        error_code ignored; // of one that is broken already, which its first use says
        socket_.native_non_blocking(true, ignored);
    }
    eager_socket(const eager_socket&) = delete;
    eager_socket& operator=(const eager_socket&) = delete;

    executor_type get_executor() { return socket_.get_executor(); }
    boost::asio::ip::tcp::socket& next_layer() { return socket_; }
    int native_handle() { return apart_ >= 0 ? apart_ : socket_.native_handle(); }

    // So long from now on, each wait may last.
    void expires_after(std::chrono::milliseconds limit) { until_ = steady_time::clock::now() + limit; }
    bool is_late(steady_time now) const { return waiting_until_.load(std::memory_order_relaxed) <= now; }

    // While one lives, Asio does not look after the socket. It would wake another thread for all that comes and goes,
    // which the owner waits for by itself. Worth its two calls of the system where much is to come or go.
    class unwatched {
    public:
        unwatched(eager_socket& of, std::uint64_t bytes) : of_{of}
        {
            error_code ignored;
            if (bytes < worth_it) return;
            const auto protocol = of_.socket_.local_endpoint(ignored).protocol();
            if (ignored) return;
            const int descriptor = of_.socket_.release(ignored);
            if (ignored) return;
            of_.apart_ = descriptor;
            protocol_ = protocol;
        }
        ~unwatched()
        {
            const int descriptor = std::exchange(of_.apart_, -1);
            if (descriptor < 0) return;
            error_code error;
            of_.socket_.assign(protocol_, descriptor, error);
            if (error) ::close(descriptor); // and the next use of the socket fails
        }
        unwatched(const unwatched&) = delete;
        unwatched& operator=(const unwatched&) = delete;

    private:
        static constexpr std::uint64_t worth_it = std::uint64_t{1} << 20U;

        eager_socket& of_;
        boost::asio::ip::tcp protocol_ = boost::asio::ip::tcp::v4();
    };

    void close()
    {
        error_code ignored;
        socket_.close(ignored);
    }

    // At least one byte, or an error.
    task<error_code> read_some(boost::asio::mutable_buffer room, std::size_t& got)
    {
        got = may_go_on() ? receive_now(native_handle(), {static_cast<char*>(room.data()), room.size()}) : 0;
        spend(got);
        if (got > 0) co_return error_code{};
        at_once_ = 0;
        const waiting limited{*this};
        auto [error, n] = co_await socket_.async_read_some(room, as_result);
        got = n;
        co_return error;
    }

    // Sends some of it. `more` says that other bytes follow at once: the system may send them together.
    task<error_code> write_some(boost::asio::const_buffer bytes, std::size_t& written, bool more = false)
    {
        const std::span<const char> all{static_cast<const char*>(bytes.data()), bytes.size()};
        written = may_go_on() ? send_now(native_handle(), all, more) : 0;
        spend(written);
        if (written > 0) co_return error_code{};
        at_once_ = 0;
        const waiting limited{*this};
        auto [error, n] = co_await socket_.async_write_some(bytes, as_result);
        written = n;
        co_return error;
    }

    // In a turn: what comes, and goes, while the client keeps up. What follows goes by the two above.
    std::size_t read_ready(patience& waits, std::span<char> out)
    {
        return receive_ready(waits, native_handle(), out, out.size());
    }
    std::size_t write_ready(patience& waits, std::span<const char> bytes)
    {
        return send_ready(waits, native_handle(), bytes);
    }

private:
    // A small step costs other things than its bytes.
    static constexpr std::size_t least_of_step = std::size_t{128} << 10U;

    class waiting {
    public:
        explicit waiting(eager_socket& of) : of_{of} { of_.waiting_until_ = of_.until_; }
        ~waiting() { of_.waiting_until_ = steady_time::max(); }
        waiting(const waiting&) = delete;
        waiting& operator=(const waiting&) = delete;

    private:
        eager_socket& of_;
    };

    bool may_go_on() const { return at_once_ < most_at_once; }
    void spend(std::size_t bytes) { at_once_ += std::max(bytes, least_of_step); }

    boost::asio::ip::tcp::socket socket_;
    int apart_ = -1;            // its descriptor while Asio does not look after it
    std::uint64_t at_once_ = 0; // since others had their turn
    steady_time until_ = steady_time::max();
    std::atomic<steady_time> waiting_until_ = steady_time::max(); // the end of time: does not wait
};

} // namespace xentz::http::detail
