// The socket of a connection, with which what can be done without waiting is done at once. Only what must wait goes
// through Asio and the queue of all connections, and only meanwhile Asio looks after the socket: it would wake another
// thread for all that comes and goes. A client that keeps a connection busy gives way to the others in between.
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
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace xentz::http::detail {

constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

class eager_socket {
public:
    using executor_type = boost::asio::ip::tcp::socket::executor_type;

    explicit eager_socket(boost::asio::ip::tcp::socket socket) : socket_{socket.get_executor()}
    {
        error_code error;
        protocol_ = socket.local_endpoint(error).protocol();
        if (!error) socket.native_non_blocking(true, error);
        if (!error) descriptor_ = socket.release(error);
        if (error) descriptor_ = -1; // and its first use fails
    }
    ~eager_socket() { close(); }
    eager_socket(const eager_socket&) = delete;
    eager_socket& operator=(const eager_socket&) = delete;

    executor_type get_executor() { return socket_.get_executor(); }
    // -1: it is closed.
    int native_handle() const { return descriptor_; }

    // So long from now on, each wait may last.
    void expires_after(std::chrono::milliseconds limit) { until_ = steady_time::clock::now() + limit; }
    bool is_late(steady_time now) const { return waiting_until_.load(std::memory_order_relaxed) <= now; }

    void close()
    {
        error_code ignored;
        const int descriptor = std::exchange(descriptor_, -1);
        if (socket_.is_open())
            socket_.close(ignored);
        else if (descriptor >= 0)
            ::close(descriptor);
    }

    // The client finds the connection broken, and not ended.
    void close_broken()
    {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close();
    }

    // Nothing more is sent.
    void end() { ::shutdown(descriptor_, SHUT_WR); }

    // At least one byte, or an error.
    task<error_code> read_some(boost::asio::mutable_buffer room, std::size_t& got)
    {
        got = may_go_on() ? receive_now(native_handle(), {static_cast<char*>(room.data()), room.size()}) : 0;
        spend(got);
        if (got > 0) co_return error_code{};
        at_once_ = 0;
        const watched meanwhile{*this};
        if (meanwhile.error) co_return meanwhile.error;
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
        const watched meanwhile{*this};
        if (meanwhile.error) co_return meanwhile.error;
        auto [error, n] = co_await socket_.async_write_some(bytes, as_result);
        written = n;
        co_return error;
    }

    // In a turn: what comes, and goes, while the client keeps up. What follows goes by the two above.
    std::size_t read_ready(patience& waits, std::span<char> out, std::size_t least)
    {
        return receive_ready(waits, native_handle(), out, least);
    }
    std::size_t write_ready(patience& waits, std::span<const char> bytes)
    {
        return send_ready(waits, native_handle(), bytes);
    }

private:
    // A small step costs other things than its bytes.
    static constexpr std::size_t least_of_step = std::size_t{128} << 10U;

    // While one lives, Asio looks after the socket, and the limit of time holds.
    class watched {
    public:
        explicit watched(eager_socket& of) : of_{of}
        {
            of_.socket_.assign(of_.protocol_, of_.descriptor_, error);
            if (!error) of_.waiting_until_ = of_.until_;
        }
        ~watched()
        {
            of_.waiting_until_ = steady_time::max();
            if (error) return;
            error_code failed = boost::asio::error::operation_aborted;
            if (of_.socket_.is_open()) of_.socket_.release(failed);
            if (failed) of_.close();
        }
        watched(const watched&) = delete;
        watched& operator=(const watched&) = delete;

        error_code error;

    private:
        eager_socket& of_;
    };

    bool may_go_on() const { return at_once_ < most_at_once; }
    void spend(std::size_t bytes) { at_once_ += std::max(bytes, least_of_step); }

    boost::asio::ip::tcp::socket socket_; // open while Asio looks after the descriptor
    boost::asio::ip::tcp protocol_ = boost::asio::ip::tcp::v4();
    int descriptor_ = -1;
    std::uint64_t at_once_ = 0; // since others had their turn
    steady_time until_ = steady_time::max();
    std::atomic<steady_time> waiting_until_ = steady_time::max(); // the end of time: does not wait
};

} // namespace xentz::http::detail
