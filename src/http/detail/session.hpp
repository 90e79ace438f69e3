// One connection of a client, plain or TLS: reads requests one after the other, lets the handler answer,
// and writes the answers. Included by session_plain.cpp and session_tls.cpp only.
//
// Threads: everything happens on the strand of the stream.
// Time limits: each is set right before what it limits.
#pragma once

#include "http/detail/body_receiver.hpp"
#include "http/detail/ready_socket.hpp"
#include "http/detail/stream_io.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <array>
#include <exception>

namespace xentz::http::detail {

constexpr std::size_t filling_bytes = std::size_t{32} << 10U; // to wait for a client that takes nothing now
constexpr std::size_t most_wasted = std::size_t{32} << 20U;   // of a body nobody wants, before a connection is cut
constexpr std::size_t join_bytes = std::size_t{16} << 10U;    // up to which head and body go out in one write
// So long nothing is read of a body nobody wants: whoever cannot send on looks whether there is an answer.
constexpr auto answer_first = std::chrono::milliseconds{50};
constexpr auto most_lingering = std::chrono::milliseconds{5000}; // until the client has closed, too

template <class Stream>
class session final : public connection, public std::enable_shared_from_this<session<Stream>> {
public:
    template <class... StreamArguments>
    session(server_context& context, std::string remote_address, StreamArguments&&... arguments)
        : remote_address_{std::move(remote_address)}, io_{context, std::forward<StreamArguments>(arguments)...}
    {
    }

    static void start(const std::shared_ptr<session>& self)
    {
        self->io_.context.connections.add(self);
        // Not on this thread, which goes on to accept others: it would run a handler where a request is there already.
        asio::post(self->io_.stream.get_executor(), [self] {
            asio::co_spawn(self->io_.stream.get_executor(), self->serve(), [self](const std::exception_ptr& error) {
                if (error) self->io_.context.log.error("a connection was lost to an internal error");
                self->io_.context.connections.remove(self.get());
            });
        });
    }

    void close_if_idle() override
    {
        asio::post(io_.stream.get_executor(), [self = this->shared_from_this()] {
            if (self->idle_) self->io_.socket().close();
        });
    }

    void close_if_late(steady_time now) override
    {
        if (!io_.socket().is_late(now)) return;
        asio::post(io_.stream.get_executor(), [self = this->shared_from_this()] {
            if (self->io_.socket().is_late(steady_time::clock::now())) self->io_.socket().close();
        });
    }

    void abort() override
    {
        asio::post(io_.stream.get_executor(), [self = this->shared_from_this()] { self->io_.socket().close(); });
    }

private:
    static constexpr bool is_tls = stream_io<Stream>::is_tls;
    enum class after { next_request, close, drop, reset };

    task<> serve()
    {
        if (io_.context.draining) co_return;
        if constexpr (is_tls) {
            io_.socket().expires_after(io_.context.options.header_timeout);
            const error_code error = co_await io_.stream.handshake();
            if (error) co_return;
        }
        auto next = after::next_request;
        while (next == after::next_request) next = co_await serve_one();
        if (next == after::close) co_await close_gently();
        // An answer that breaks off must not look complete, not even where its end is the connection's end.
        if (next == after::reset)
            io_.socket().close_broken();
        else
            io_.socket().close();
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
        const auto refused = error ? head_problem(error, io_.context.options.most_header_bytes) : read_head(parser, e);
        if (error && !refused) co_return after::drop;
        if (refused) {
            auto refusal = to_response(*refused);
            const auto next = co_await reply(e, refusal);
            co_return next;
        }
        e.head.remote_address = io_.context.options.proxies.client_of(remote_address_, e.head.headers);
        const auto next = co_await answer(e, parser);
        co_return next;
    }

    task<bool> wait_for_request()
    {
        if (io_.context.draining) co_return false;
        if (serves_ && io_.buffer.size() == 0) io_.read_soon(head_step);
        if (io_.buffer.size() > 0) co_return true;
        io_.buffer.shrink_to_fit();
        idle_ = true;
        // Once more, because a stop may have come between the two and found the connection busy.
        if (io_.context.draining) co_return false;
        io_.socket().expires_after(io_.context.options.idle_timeout);
        const error_code error = co_await io_.read_more(head_step);
        idle_ = false;
        serves_ = true;
        co_return !error;
    }

    // Counts the bytes itself: the parser's own limit starts anew after each line it has taken in.
    task<error_code> receive_head(request_parser& parser)
    {
        const auto limit = io_.context.options.most_header_bytes;
        parser.header_limit(static_cast<std::uint32_t>(limit));
        parser.body_limit(boost::none);
        io_.socket().expires_after(io_.context.options.header_timeout);
        std::size_t taken = 0;
        for (;;) {
            error_code error;
            const auto used = parser.put(io_.buffer.data(), error);
            io_.buffer.consume(used);
            taken += used;
            if (error && error != beast::http::error::need_more) co_return error;
            const bool done = parser.is_header_done();
            if (taken + (done ? 0 : io_.buffer.size()) > limit) co_return error_code{beast::http::error::header_limit};
            if (done) co_return error_code{};
            error = co_await io_.read_more(head_step);
            if (error) co_return error;
        }
    }

    task<after> answer(exchange& e, request_parser& parser)
    {
        std::optional<admission> admitted;
        const std::function<void()> begin = [&] { admitted = begin_request(io_.context, e); };
        co_await run_blocking(io_.context, begin);
        if (auto* r = std::get_if<response>(&*admitted)) {
            const auto next = co_await reply(e, *r);
            co_return next;
        }
        body_receiver<Stream> bodies{io_, e, parser};
        std::optional<response> result;
        error_code error;
        std::uint64_t most = 0;
        if (auto* c = std::get_if<collect>(&*admitted)) {
            most = c->most;
            error = co_await bodies.collect_whole(*c, result);
        } else if (auto* u = std::get_if<upload>(&*admitted)) {
            most = u->most;
            error = co_await bodies.take_upload(*u, result);
        }
        if (!result) {
            const std::function<void()> give_up = [&] { admitted.reset(); };
            co_await run_blocking(io_.context, give_up);
            if (const auto refused = body_problem(error, most)) result = to_response(*refused);
        }
        if (!result) co_return after::drop;
        const auto next = co_await reply(e, *result);
        co_return next;
    }

    task<after> reply(exchange& e, response& r)
    {
        if (const auto mistake = defect(r); !mistake.empty()) {
            io_.context.log.error(e.head.method + " " + e.head.path + " failed: the handler made " + mistake);
            const std::function<void()> replace = [&r] { r = to_response(internal_problem()); };
            co_await run_blocking(io_.context, replace);
        }
        body_left_ = !e.body_read;
        if (io_.context.draining) e.keep_alive = false;
        const auto plan = plan_answer(e, r);
        auto text = head_text(r, plan, e.http_1_0);
        const auto next = plan.close ? after::close : after::next_request;
        if (auto* source = std::get_if<std::unique_ptr<body_source>>(&r.body)) {
            error_code error = co_await io_.write(text, plan.send_body && plan.length.value_or(1) > 0);
            if (!error && plan.send_body) error = co_await send_produced(e, *source, plan);
            if (*source) {
                const std::function<void()> release = [source] { source->reset(); };
                co_await run_blocking(io_.context, release);
            }
            co_return error ? after::reset : next;
        }
        const std::string_view body = plan.send_body ? std::string_view{std::get<std::string>(r.body)} : "";
        const bool joined = body.size() <= join_bytes;
        if (joined) text += body;
        error_code error = co_await io_.write(text, !joined);
        if (!error && !joined) error = co_await io_.write(body);
        co_return error ? after::drop : next;
    }

    task<error_code> send_produced(const exchange& e, std::unique_ptr<body_source>& source, const answer_plan& plan)
    {
        const auto most = std::min<std::uint64_t>(plan.length.value_or(piece_bytes), piece_bytes);
        static_assert(chunk_frame <= piece_pool::frame);
        const auto piece = io_.context.pieces.take(most + chunk_frame);
        auto left = plan.length;
        bool more = left.value_or(1) > 0;
        while (more) {
            std::optional<std::span<const char>> rest;
            const std::function<void()> work = [&] { rest = send_while_ready(e, source, plan, piece.room(), left); };
            co_await run_blocking(io_.context, work);
            if (!rest) co_return error_code{asio::error::fault};
            const error_code error = co_await io_.write(*rest);
            if (error) co_return error;
            more = source != nullptr;
        }
        co_return error_code{};
    }

    // In a turn: sends while the client takes it. What is read of the source and not sent yet, in `room`; nothing where
    // the source failed.
    std::optional<std::span<const char>> send_while_ready(const exchange& e, std::unique_ptr<body_source>& source,
                                                          const answer_plan& plan, std::span<char> room,
                                                          std::optional<std::uint64_t>& left)
    {
        patience waits{io_.context.turns};
        auto most = room.size() - chunk_frame;
        bool keeps_up = true;
        if (!is_tls && left) {
            const auto before = *left;
            if (!send_ready(io_.context, e, waits, source, io_.socket().native_handle(), *left)) return std::nullopt;
            keeps_up = before == *left;
            if (!keeps_up) most = std::min(most, filling_bytes);
        }
        std::span<const char> bytes;
        for (std::uint64_t total = 0; source && bytes.empty() && total < most_at_once;) {
            const auto wanted = std::min<std::uint64_t>(left.value_or(most), most);
            const auto got = take_piece(io_.context, e, source, room.subspan(chunk_begin, wanted), left);
            if (!got) return std::nullopt;
            bytes = room.subspan(chunk_begin, *got);
            if (plan.frame == framing::chunked) bytes = as_chunk(room, *got);
            if (left) *left -= *got;
            total += *got;
            if (keeps_up) bytes = bytes.subspan(io_.stream.write_ready(waits, bytes));
        }
        return bytes;
    }

    // Ends the own side and reads what is still under way, for a while: closing over unread bytes would make the
    // system send a reset, which can overtake the answer and take it away from the client.
    task<> close_gently()
    {
        io_.socket().expires_after(std::min(io_.context.options.body_timeout, most_lingering));
        if constexpr (is_tls) {
            const error_code error = co_await io_.stream.shutdown();
            if (error) co_return;
        }
        io_.socket().end();
        if (body_left_) {
            asio::steady_timer pause{io_.stream.get_executor(), answer_first};
            co_await pause.async_wait(as_result);
        }
        std::vector<char> waste(collect_step);
        const auto room = asio::buffer(waste);
        for (std::size_t total = 0; total < most_wasted;) {
            std::size_t got = 0;
            const error_code error = co_await io_.socket().read_some(room, got);
            if (error) break;
            total += got;
        }
    }

    std::string remote_address_;
    stream_io<Stream> io_;
    bool body_left_ = false; // of the last request: the client may be sending it yet
    bool idle_ = true;       // waits for a request: may be closed at any time
    bool serves_ = false;    // a request came
};

} // namespace xentz::http::detail
