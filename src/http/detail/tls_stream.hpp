// A TLS connection at the server's end that costs little while it idles: what lies between OpenSSL and the socket is
// held only while something is under way. The stream of Asio keeps four buffers of 17 KiB for the life of a connection,
// which made 200 MiB of 2,000 idle ones.
//
// Threads: all on the strand of the socket, one operation at a time. Time limits: those of the eager_socket, set
// by the caller before each call. Included by session_tls.cpp and tls_stream.cpp only. Errors: of the socket, of
// OpenSSL (asio's ssl category), eof at the peer's end.
#pragma once

#include "http/detail/eager_socket.hpp"
#include "http/detail/server_context.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace xentz::http::detail {

class tls_stream {
public:
    // `tls` need not outlive the call: OpenSSL keeps what it holds.
    tls_stream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls);
    tls_stream(const tls_stream&) = delete;
    tls_stream& operator=(const tls_stream&) = delete;
    ~tls_stream();

    eager_socket::executor_type get_executor() { return socket_.get_executor(); }
    eager_socket& next_layer() { return socket_; }

    task<error_code> handshake();
    // At least one byte, or an error. A small `room` makes a small buffer while it waits.
    task<error_code> read_some(boost::asio::mutable_buffer room, std::size_t& got);
    // Sends some of it and says how much of `bytes` is gone, which may be nothing yet. What follows must begin there.
    task<error_code> write_some(boost::asio::const_buffer bytes, std::size_t& written, bool more);
    // In a turn: what comes, and goes, while the client keeps up. What follows goes by the two above, a failure, too.
    std::size_t read_ready(patience& waits, std::span<char> out, std::size_t least);
    std::size_t write_ready(patience& waits, std::span<const char> bytes);
    // Tells the peer that nothing follows; does not wait for its answer.
    task<error_code> shutdown();

private:
    struct ssl_release {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    struct transport; // OpenSSL's way to the two buffers below

    error_code failure(int returned);
    error_code decrypt(std::span<char> out, std::size_t& got);
    error_code encrypt(std::span<const char> bytes);
    void make_room(std::size_t most);
    bool has_sent(std::size_t n);
    task<error_code> receive(std::size_t most);
    task<error_code> send_once();
    task<error_code> send_all();

    eager_socket socket_;
    std::unique_ptr<SSL, ssl_release> ssl_;
    std::vector<char> received_;
    std::span<const char> incoming_; // of received_: what OpenSSL has not taken yet
    std::vector<char> outgoing_;
    std::size_t sent_ = 0;      // of outgoing_
    std::size_t encrypted_ = 0; // bytes of the caller's that outgoing_ stands for
};

constexpr std::size_t tls_handshake_step = std::size_t{4} << 10U;
constexpr std::size_t tls_received_step = std::size_t{64} << 10U;  // most that is taken from the socket at once
constexpr std::size_t tls_encrypted_step = std::size_t{64} << 10U; // four records
constexpr std::size_t tls_record = std::size_t{17} << 10U;         // with what encryption adds to it

// The coroutines stand here, and are compiled with the session, because clang's analyzer takes Asio's frame of a
// coroutine in a source of its own for one that was never filled in.

inline task<error_code> tls_stream::handshake()
{
    for (;;) {
        ERR_clear_error();
        const int done = SSL_do_handshake(ssl_.get());
        error_code failed;
        if (done != 1) failed = failure(done);
        // Also where it failed: the peer is told why.
        error_code error = co_await send_all();
        if (failed) co_return failed;
        if (error || done == 1) co_return error;
        error = co_await receive(tls_handshake_step);
        if (error) co_return error;
    }
}

inline task<error_code> tls_stream::read_some(boost::asio::mutable_buffer room, std::size_t& got)
{
    got = 0;
    for (;;) {
        const error_code failed = decrypt({static_cast<char*>(room.data()), room.size()}, got);
        // A failure comes again with the next call.
        if (got > 0) co_return error_code{};
        error_code error = co_await send_all();
        if (failed) co_return failed;
        if (error) co_return error;
        error = co_await receive(room.size());
        if (error) co_return error;
    }
}

inline task<error_code> tls_stream::write_some(boost::asio::const_buffer bytes, std::size_t& written, bool /*more*/)
{
    written = 0;
    if (outgoing_.empty()) {
        const error_code failed = encrypt({static_cast<const char*>(bytes.data()), bytes.size()});
        if (failed) co_return failed;
    }
    const error_code error = co_await send_once();
    if (!error && outgoing_.empty()) written = std::exchange(encrypted_, 0);
    co_return error;
}

inline task<error_code> tls_stream::shutdown()
{
    ERR_clear_error();
    SSL_shutdown(ssl_.get()); // where it fails, there is nobody to tell
    const error_code error = co_await send_all();
    co_return error;
}

inline task<error_code> tls_stream::send_all()
{
    error_code error;
    while (!error && !outgoing_.empty()) error = co_await send_once();
    co_return error;
}

inline task<error_code> tls_stream::receive(std::size_t most)
{
    make_room(most);
    const auto room = boost::asio::buffer(received_);
    std::size_t got = 0;
    const error_code error = co_await socket_.read_some(room, got);
    incoming_ = std::span<const char>{received_.data(), got};
    co_return error;
}

inline task<error_code> tls_stream::send_once()
{
    const auto rest = boost::asio::buffer(outgoing_.data() + sent_, outgoing_.size() - sent_);
    std::size_t n = 0;
    const error_code error = co_await socket_.write_some(rest, n);
    has_sent(n);
    co_return error;
}

} // namespace xentz::http::detail
