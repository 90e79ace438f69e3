// One connection of a client, plain or TLS: reads requests one after the other, lets the handler answer on a
// worker thread, and writes the answers. Included by session_plain.cpp and session_tls.cpp only.
//
// Threads: everything happens on the strand of the stream, apart from what is handed to run_on_worker.
// Time limits: beast::tcp_stream closes its socket when one passes; each is set right before what it limits.
#pragma once

#include "http/detail/server_context.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <array>
#include <exception>

namespace xentz::http::detail {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// Of a body, for each visit of a worker thread. A slow client holds as much, and smaller pieces make downloads slower.
constexpr std::size_t piece_bytes = std::size_t{256} << 10U;
constexpr std::size_t upload_piece_bytes = std::size_t{128} << 10U;
constexpr std::size_t body_step = std::size_t{64} << 10U;        // read at once from the network
constexpr std::size_t head_step = std::size_t{2} << 10U;         // what an idle connection holds ready
constexpr std::size_t collect_step = std::size_t{16} << 10U;     // by which a collected body grows
constexpr std::size_t most_wasted = std::size_t{32} << 20U;      // of a body nobody wants, before a connection is cut
constexpr std::size_t join_bytes = std::size_t{16} << 10U;       // up to which head and body go out in one write
constexpr auto most_lingering = std::chrono::milliseconds{5000}; // until the client has closed, too

template <class Stream>
class session final : public connection, public std::enable_shared_from_this<session<Stream>> {
public:
    template <class... StreamArguments>
    session(server_context& context, std::string remote_address, StreamArguments&&... arguments)
        : context_{context}, remote_address_{std::move(remote_address)},
          stream_{std::forward<StreamArguments>(arguments)...}
    {
    }

    static void start(const std::shared_ptr<session>& self)
    {
        self->context_.connections.add(self);
        asio::co_spawn(self->stream_.get_executor(), self->serve(), [self](const std::exception_ptr& error) {
            if (error) self->context_.log.error("a connection was lost to an internal error");
            self->context_.connections.remove(self.get());
        });
    }

    void close_if_idle() override
    {
        asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
            if (self->idle_) self->socket().close();
        });
    }

    void abort() override
    {
        asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->socket().close(); });
    }

private:
    static constexpr bool is_tls = !std::is_same_v<Stream, beast::tcp_stream>;
    enum class after { next_request, close, drop, reset };

    beast::tcp_stream& socket() { return beast::get_lowest_layer(stream_); }

    task<> serve()
    {
        if (context_.draining) co_return;
        if constexpr (is_tls) {
            socket().expires_after(context_.options.header_timeout);
            const error_code error = co_await stream_.handshake();
            if (error) co_return;
        }
        auto next = after::next_request;
        while (next == after::next_request) next = co_await serve_one();
        if (next == after::close) co_await close_gently();
        if (next == after::reset) {
            // An answer that breaks off must not look complete, not even where its end is the connection's end.
            error_code ignored;
            socket().socket().set_option(asio::socket_base::linger{true, 0}, ignored);
        }
        socket().close();
    }

    task<after> serve_one()
    {
        const bool came = co_await wait_for_request();
        if (!came) co_return after::drop;
        exchange e;
        e.head.remote_address = remote_address_;
        e.head.tls = is_tls;
        request_parser parser;
        const error_code error = co_await receive_head(parser);
        const auto refused = error ? head_problem(error, context_.options.most_header_bytes) : read_head(parser, e);
        if (error && !refused) co_return after::drop;
        if (refused) {
            auto refusal = to_response(*refused);
            const auto next = co_await reply(e, refusal);
            co_return next;
        }
        e.head.remote_address = context_.options.proxies.client_of(remote_address_, e.head.headers);
        const auto next = co_await answer(e, parser);
        co_return next;
    }

    task<error_code> read_more(std::size_t most)
    {
        const auto room = buffer_.prepare(most);
        if constexpr (is_tls) {
            std::size_t got = 0;
            const error_code error = co_await stream_.read_some(room, got);
            buffer_.commit(got);
            co_return error;
        } else {
            auto [error, got] = co_await stream_.async_read_some(room, as_result);
            buffer_.commit(got);
            co_return error;
        }
    }

    task<bool> wait_for_request()
    {
        if (context_.draining) co_return false;
        if (buffer_.size() > 0) co_return true;
        buffer_.shrink_to_fit();
        idle_ = true;
        // Once more, because a stop may have come between the two and found the connection busy.
        if (context_.draining) co_return false;
        socket().expires_after(context_.options.idle_timeout);
        const error_code error = co_await read_more(head_step);
        idle_ = false;
        co_return !error;
    }

    // Counts the bytes itself: the parser's own limit starts anew after each line it has taken in.
    task<error_code> receive_head(request_parser& parser)
    {
        const auto limit = context_.options.most_header_bytes;
        parser.header_limit(static_cast<std::uint32_t>(limit));
        parser.body_limit(boost::none);
        socket().expires_after(context_.options.header_timeout);
        std::size_t taken = 0;
        for (;;) {
            error_code error;
            const auto used = parser.put(buffer_.data(), error);
            buffer_.consume(used);
            taken += used;
            if (error && error != beast::http::error::need_more) co_return error;
            const bool done = parser.is_header_done();
            if (taken + (done ? 0 : buffer_.size()) > limit) co_return error_code{beast::http::error::header_limit};
            if (done) co_return error_code{};
            error = co_await read_more(head_step);
            if (error) co_return error;
        }
    }

    task<after> answer(exchange& e, request_parser& parser)
    {
        std::optional<admission> admitted;
        const std::function<void()> begin = [&] { admitted = begin_request(context_, e); };
        co_await run_on_worker(context_, begin);
        if (auto* r = std::get_if<response>(&*admitted)) {
            const auto next = co_await reply(e, *r);
            co_return next;
        }
        std::optional<response> result;
        error_code error;
        std::uint64_t most = 0;
        if (auto* c = std::get_if<collect>(&*admitted)) {
            most = c->most;
            error = co_await receive_collected(e, parser, *c, result);
        } else if (auto* u = std::get_if<upload>(&*admitted)) {
            most = u->most;
            error = co_await receive_upload(e, parser, *u, result);
        }
        if (!result) {
            const std::function<void()> give_up = [&] { admitted.reset(); };
            co_await run_on_worker(context_, give_up);
            if (const auto refused = body_problem(error, most)) result = to_response(*refused);
        }
        if (!result) co_return after::drop;
        const auto next = co_await reply(e, *result);
        co_return next;
    }

    task<error_code> receive_collected(exchange& e, request_parser& parser, collect& c, std::optional<response>& result)
    {
        error_code error = co_await invite(e, parser, c.most);
        std::string body;
        while (!error && !parser.is_done()) {
            const auto before = body.size();
            body.resize(before + collect_step);
            const std::span<char> room{body.data() + before, collect_step};
            std::size_t got = 0;
            error = co_await fill(parser, room, got);
            body.resize(before + got);
        }
        if (error) co_return error;
        e.body_read = true;
        const std::function<void()> work = [&] { result = finish_collect(context_, e, c, std::move(body)); };
        co_await run_on_worker(context_, work);
        co_return error;
    }

    task<error_code> receive_upload(exchange& e, request_parser& parser, upload& u, std::optional<response>& result)
    {
        error_code error = co_await invite(e, parser, u.most);
        if (error) co_return error;
        const auto announced = e.head.content_length.value_or(e.head.chunked ? upload_piece_bytes : 0);
        std::vector<char> piece(std::min<std::uint64_t>(announced, upload_piece_bytes));
        bool refused = false;
        while (!result) {
            std::size_t got = 0;
            error = co_await fill(parser, piece, got);
            if (error) co_return error;
            e.body_read = parser.is_done();
            const std::span<const char> bytes{piece.data(), got};
            const std::function<void()> work = [&] {
                result = give_piece(context_, e, u.sink, bytes, e.body_read, refused);
            };
            co_await run_on_worker(context_, work);
        }
        if (refused) e.keep_alive = false;
        co_return error;
    }

    // Before the first byte of a body: refuses one that is known to be too long, and tells a client that waits
    // for it to go on.
    task<error_code> invite(exchange& e, request_parser& parser, std::uint64_t most)
    {
        error_code error;
        if (parser.is_done()) co_return error;
        if (e.head.content_length.value_or(0) > most) co_return error_code{beast::http::error::body_limit};
        parser.body_limit(most);
        parser.eager(true);
        if (e.expects_continue && buffer_.size() == 0) {
            const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            error = co_await write(go_on);
        }
        co_return error;
    }

    // Reads until `out` is full or the body complete; `got` bytes are in `out` then.
    task<error_code> fill(request_parser& parser, std::span<char> out, std::size_t& got)
    {
        using beast::http::error;
        while (!parser.is_done() && got < out.size()) {
            error_code parsed = error::need_more;
            if (buffer_.size() > 0) {
                auto& body = parser.get().body();
                body.data = out.data() + got;
                body.size = out.size() - got;
                body.more = true;
                const auto used = parser.put(buffer_.data(), parsed);
                buffer_.consume(used);
                got = out.size() - body.size;
                if (parsed && parsed != error::need_more && parsed != error::need_buffer) co_return parsed;
            }
            if (parsed != error::need_more) continue;
            // A line between two chunks or a trailer that is longer than any sensible one.
            if (buffer_.size() >= body_step) co_return error_code{error::bad_chunk};
            const auto expected = parser.content_length_remaining().value_or(body_step);
            socket().expires_after(context_.options.body_timeout);
            const error_code read = co_await read_more(std::clamp<std::uint64_t>(expected, head_step, body_step));
            if (read) co_return read;
        }
        co_return error_code{};
    }

    task<error_code> write(std::span<const char> bytes)
    {
        while (!bytes.empty()) {
            const auto rest = asio::buffer(bytes.data(), bytes.size());
            socket().expires_after(context_.options.body_timeout);
            if constexpr (is_tls) {
                std::size_t written = 0;
                const error_code error = co_await stream_.write_some(rest, written);
                if (error) co_return error;
                bytes = bytes.subspan(written);
            } else {
                auto [error, written] = co_await stream_.async_write_some(rest, as_result);
                if (error) co_return error;
                bytes = bytes.subspan(written);
            }
        }
        co_return error_code{};
    }

    task<after> reply(exchange& e, response& r)
    {
        if (const auto mistake = defect(r); !mistake.empty()) {
            context_.log.error(e.head.method + " " + e.head.path + " failed: the handler made " + mistake);
            const std::function<void()> replace = [&r] { r = to_response(internal_problem()); };
            co_await run_on_worker(context_, replace);
        }
        if (context_.draining) e.keep_alive = false;
        const auto plan = plan_answer(e, r);
        auto text = head_text(r, plan, e.http_1_0);
        const auto next = plan.close ? after::close : after::next_request;
        if (auto* source = std::get_if<std::unique_ptr<body_source>>(&r.body)) {
            error_code error = co_await write(text);
            if (!error && plan.send_body) error = co_await send_produced(e, *source, plan);
            if (*source) {
                const std::function<void()> release = [source] { source->reset(); };
                co_await run_on_worker(context_, release);
            }
            co_return error ? after::reset : next;
        }
        const std::string_view body = plan.send_body ? std::string_view{std::get<std::string>(r.body)} : "";
        const bool joined = body.size() <= join_bytes;
        if (joined) text += body;
        error_code error = co_await write(text);
        if (!error && !joined) error = co_await write(body);
        co_return error ? after::drop : next;
    }

    task<error_code> send_produced(const exchange& e, std::unique_ptr<body_source>& source, const answer_plan& plan)
    {
        constexpr std::size_t before = 18; // the length of a chunk: 16 digits and the end of the line
        const auto most = std::min<std::uint64_t>(plan.length.value_or(piece_bytes), piece_bytes);
        std::vector<char> piece(before + most + 2);
        auto left = plan.length;
        bool more = left.value_or(1) > 0;
        while (more) {
            const std::span<char> room{piece.data() + before, std::min(left.value_or(most), most)};
            std::optional<std::size_t> got;
            const std::function<void()> work = [&] { got = take_piece(context_, e, source, room, left); };
            co_await run_on_worker(context_, work);
            if (!got) co_return error_code{asio::error::fault};
            std::span<const char> bytes = room.first(*got);
            if (plan.frame == framing::chunked) bytes = as_chunk(piece, before, *got);
            const error_code error = co_await write(bytes);
            if (error) co_return error;
            if (left) *left -= *got;
            more = source != nullptr;
        }
        co_return error_code{};
    }

    // Writes the frame of a chunk round the `size` bytes that stand behind `before`; a chunk of none is the last.
    static std::span<const char> as_chunk(std::vector<char>& piece, std::size_t before, std::size_t size)
    {
        piece[before + size] = '\r';
        piece[before + size + 1] = '\n';
        auto at = before;
        piece[--at] = '\n';
        piece[--at] = '\r';
        auto rest = size;
        do {
            piece[--at] = "0123456789abcdef"[rest % 16];
            rest /= 16;
        } while (rest > 0);
        return {piece.data() + at, before - at + size + 2};
    }

    // Ends the own side and reads what is still under way, for a while: closing over unread bytes would make the
    // system send a reset, which can overtake the answer and take it away from the client.
    task<> close_gently()
    {
        socket().expires_after(std::min(context_.options.body_timeout, most_lingering));
        if constexpr (is_tls) {
            const error_code error = co_await stream_.shutdown();
            if (error) co_return;
        }
        error_code ignored;
        socket().socket().shutdown(asio::socket_base::shutdown_send, ignored);
        std::vector<char> waste(collect_step);
        const auto room = asio::buffer(waste);
        for (std::size_t total = 0; total < most_wasted;) {
            auto [error, got] = co_await socket().async_read_some(room, as_result);
            if (error) break;
            total += got;
        }
    }

    server_context& context_;
    std::string remote_address_;
    Stream stream_;
    beast::flat_buffer buffer_;
    bool idle_ = true; // waits for a request: may be closed at any time
};

} // namespace xentz::http::detail
