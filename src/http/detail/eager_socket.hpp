// The socket of a connection, with which what can be done without waiting is done at once. Only what must wait goes
// through Asio, where it costs a timer and a way through the queue of all connections. A client that keeps a connection
// busy gives way to the others in between.
//
// Threads: everything happens on the strand of the socket. Time limits: beast::tcp_stream closes the socket when one
// passes; each is set right before what it limits. Errors: of the socket; eof at the client's end.
#pragma once

#include "http/detail/blocking_turns.hpp"
#include "http/detail/ready_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <cstddef>
#include <utility>

namespace xentz::http::detail {

constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

class eager_socket {
public:
    using executor_type = boost::beast::tcp_stream::executor_type;

    explicit eager_socket(boost::asio::ip::tcp::socket socket) : stream_{std::move(socket)} {}

    executor_type get_executor() { return stream_.get_executor(); }
    boost::beast::tcp_stream& next_layer() { return stream_; }
    int native_handle() { return stream_.socket().native_handle(); }

    // At least one byte, or an error.
    task<error_code> read_some(boost::asio::mutable_buffer room, std::size_t& got)
    {
        got = may_go_on() ? receive_now(native_handle(), {static_cast<char*>(room.data()), room.size()}) : 0;
        spend(got);
        if (got > 0) co_return error_code{};
        at_once_ = 0;
        auto [error, n] = co_await stream_.async_read_some(room, as_result);
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
        auto [error, n] = co_await stream_.async_write_some(bytes, as_result);
        written = n;
        co_return error;
    }

private:
    // A small step costs other things than its bytes.
    static constexpr std::size_t least_of_step = std::size_t{128} << 10U;

    bool may_go_on() const { return at_once_ < most_at_once; }
    void spend(std::size_t bytes) { at_once_ += std::max(bytes, least_of_step); }

    boost::beast::tcp_stream stream_;
    std::uint64_t at_once_ = 0; // since others had their turn
};

} // namespace xentz::http::detail
