// The body of one request, handed to whoever the handler said: collected whole, or piece by piece into a sink. Included
// by session.hpp.
//
// Threads: on the strand of the stream.
#pragma once

#include "http/detail/ready_socket.hpp"
#include "http/detail/stream_io.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

namespace xentz::http::detail {

constexpr std::size_t body_step = std::size_t{64} << 10U;    // read at once from the network
constexpr std::size_t head_step = std::size_t{2} << 10U;     // what an idle connection holds ready
constexpr std::size_t collect_step = std::size_t{16} << 10U; // by which a collected body grows

template <class Stream>
class body_receiver {
public:
    body_receiver(stream_io<Stream>& io, exchange& e, request_parser& parser) : io_{io}, e_{e}, parser_{parser} {}

    // `result` is the answer; without one the body could not be received, for the error.
    task<error_code> collect_whole(collect& c, std::optional<response>& result)
    {
        error_code error = co_await invite(c.most);
        std::string body;
        while (!error && !parser_.is_done()) {
            const auto before = body.size();
            body.resize(before + collect_step);
            const std::span<char> room{body.data() + before, collect_step};
            std::size_t got = 0;
            error = co_await fill(room, got);
            body.resize(before + got);
        }
        if (error) co_return error;
        e_.body_read = true;
        const std::function<void()> work = [&] { result = finish_collect(io_.context, e_, c, std::move(body)); };
        co_await run_blocking(io_.context, work);
        co_return error;
    }

    task<error_code> take_upload(upload& u, std::optional<response>& result)
    {
        error_code error = co_await invite(u.most);
        bool refused = false;
        if (!error && e_.head.chunked) error = co_await receive_chunks(u, result, refused);
        if (!error && !e_.head.chunked) error = co_await receive_measured(u, result, refused);
        if (refused) e_.keep_alive = false;
        co_return error;
    }

private:
    task<error_code> receive_chunks(upload& u, std::optional<response>& result, bool& refused)
    {
        const auto piece = io_.context.pieces.take(piece_bytes);
        while (!result) {
            std::size_t got = 0;
            const auto room = piece.room();
            const error_code error = co_await fill(room, got);
            if (error) co_return error;
            e_.body_read = parser_.is_done();
            const std::function<void()> work = [&] {
                result = give_piece(io_.context, e_, u.sink, room.first(got), e_.body_read, refused);
            };
            co_await run_blocking(io_.context, work);
        }
        co_return error_code{};
    }

    // Past the parser, which has nothing to find in a body of a known length.
    task<error_code> receive_measured(upload& u, std::optional<response>& result, bool& refused)
    {
        auto left = e_.head.content_length.value_or(0); // what the sink does not have yet
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece_bytes));
        const auto memory = io_.context.pieces.take(size);
        const auto piece = memory.room();
        std::size_t filled = 0;
        while (!result) {
            while (filled < std::min<std::uint64_t>(left, size)) {
                const auto wanted = std::min<std::uint64_t>(left, size) - filled;
                std::size_t got = 0;
                const error_code error = co_await io_.read_body(asio::buffer(piece.data() + filled, wanted), got);
                if (error) co_return error;
                filled += got;
            }
            const std::function<void()> work = [&] { result = give_while_ready(u, piece, filled, left, refused); };
            co_await run_blocking(io_.context, work);
        }
        co_return error_code{};
    }

    // In a turn: gives the sink what is in `piece`, and what comes meanwhile. What of a piece has come by then
    // and is not given yet is in it, `filled` bytes.
    std::optional<response> give_while_ready(upload& u, std::span<char> piece, std::size_t& filled, std::uint64_t& left,
                                             bool& refused)
    {
        patience waits{io_.context.turns};
        for (std::uint64_t total = 0;;) {
            left -= filled;
            total += filled;
            e_.body_read = left == 0;
            auto result = give_piece(io_.context, e_, u.sink, piece.first(filled), e_.body_read, refused);
            filled = 0;
            if (result || total >= most_at_once) return result;
            const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()));
            filled = io_.stream.read_ready(waits, piece.first(wanted), wanted);
            if (filled < wanted) return result;
        }
    }

    // Before the first byte of a body: refuses one that is known to be too long, and tells a client that waits
    // for it to go on.
    task<error_code> invite(std::uint64_t most)
    {
        error_code error;
        if (parser_.is_done()) co_return error;
        if (e_.head.content_length.value_or(0) > most) co_return error_code{beast::http::error::body_limit};
        parser_.body_limit(most);
        parser_.eager(true);
        if (e_.expects_continue && io_.buffer.size() == 0) {
            const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            error = co_await io_.write(go_on);
        }
        co_return error;
    }

    // Reads until `out` is full or the body complete; `got` bytes are in `out` then.
    task<error_code> fill(std::span<char> out, std::size_t& got)
    {
        using beast::http::error;
        while (!parser_.is_done() && got < out.size()) {
            error_code parsed = error::need_more;
            if (io_.buffer.size() > 0) {
                auto& body = parser_.get().body();
                body.data = out.data() + got;
                body.size = out.size() - got;
                body.more = true;
                const auto used = parser_.put(io_.buffer.data(), parsed);
                io_.buffer.consume(used);
                got = out.size() - body.size;
                if (parsed && parsed != error::need_more && parsed != error::need_buffer) co_return parsed;
            }
            if (parsed != error::need_more) continue;
            // A line between two chunks or a trailer that is longer than any sensible one.
            if (io_.buffer.size() >= body_step) co_return error_code{error::bad_chunk};
            const auto expected = parser_.content_length_remaining().value_or(body_step);
            io_.socket().expires_after(io_.context.options.body_timeout);
            const error_code read = co_await io_.read_more(std::clamp<std::uint64_t>(expected, head_step, body_step));
            if (read) co_return read;
        }
        co_return error_code{};
    }

    stream_io<Stream>& io_;
    exchange& e_;
    request_parser& parser_;
};

} // namespace xentz::http::detail
