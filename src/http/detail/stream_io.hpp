// Bytes from and to a connection, plain or TLS, each wait with its limit of time. Included by session.hpp.
//
// Threads: everything happens on the strand of the stream. Time limits: each is set right before what it limits.
#pragma once

#include "http/detail/eager_socket.hpp"
#include "http/detail/server_context.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <span>
#include <type_traits>
#include <utility>

namespace xentz::http::detail {

namespace asio = boost::asio;
namespace beast = boost::beast;

template <class Stream>
struct stream_io {
    static constexpr bool is_tls = !std::is_same_v<Stream, eager_socket>;

    server_context& context;
    Stream stream;
    beast::flat_buffer buffer; // what came and was not looked at yet

    template <class... StreamArguments>
    explicit stream_io(server_context& c, StreamArguments&&... arguments)
        : context{c}, stream{std::forward<StreamArguments>(arguments)...}
    {
    }

    eager_socket& socket()
    {
        if constexpr (is_tls)
            return stream.next_layer();
        else
            return stream;
    }

    // Into the buffer. The limit of time is the caller's.
    task<error_code> read_more(std::size_t most)
    {
        const auto room = buffer.prepare(most);
        std::size_t got = 0;
        const error_code error = co_await stream.read_some(room, got);
        buffer.commit(got);
        co_return error;
    }

    // Into the buffer, what comes within a moment, where that holds nobody up: most clients that send one request after
    // another do so at once.
    void read_soon(std::size_t most)
    {
        constexpr std::chrono::milliseconds moment{2};
        if (!context.turns.try_take()) return;
        const blocking_turns::taken turn{context.turns};
        patience waits{context.turns, moment};
        const auto room = buffer.prepare(most);
        buffer.commit(stream.read_ready(waits, {static_cast<char*>(room.data()), room.size()}, 1));
    }

    // Past the buffer, once that is empty.
    task<error_code> read_body(asio::mutable_buffer room, std::size_t& got)
    {
        if (buffer.size() > 0) {
            got = asio::buffer_copy(room, buffer.data());
            buffer.consume(got);
            co_return error_code{};
        }
        socket().expires_after(context.options.body_timeout);
        const error_code error = co_await stream.read_some(room, got);
        co_return error;
    }

    // `more`: other bytes follow at once.
    task<error_code> write(std::span<const char> bytes, bool more = false)
    {
        while (!bytes.empty()) {
            const auto rest = asio::buffer(bytes.data(), bytes.size());
            socket().expires_after(context.options.body_timeout);
            std::size_t written = 0;
            const error_code error = co_await stream.write_some(rest, written, more);
            if (error) co_return error;
            bytes = bytes.subspan(written);
        }
        co_return error_code{};
    }
};

} // namespace xentz::http::detail
