// A TLS connection at the server's end that costs little while it idles: what lies between OpenSSL and the socket is
// held only while something is under way. The stream of Asio keeps four buffers of 17 KiB for the life of a connection,
// which made 200 MiB of 2,000 idle ones.
//
// Threads: all on the strand of the socket, one operation at a time. Time limits: those of the beast::tcp_stream, set
// by the caller before each call. Errors: of the socket, of OpenSSL (asio's ssl category), eof at the peer's end.
#pragma once

#include "http/detail/server_context.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace xentz::http::detail {

class tls_stream {
public:
    // `tls` need not outlive the call: OpenSSL keeps what it holds.
    tls_stream(boost::beast::tcp_stream socket, boost::asio::ssl::context& tls);
    tls_stream(const tls_stream&) = delete;
    tls_stream& operator=(const tls_stream&) = delete;
    ~tls_stream();

    boost::beast::tcp_stream::executor_type get_executor() { return socket_.get_executor(); }
    boost::beast::tcp_stream& next_layer() { return socket_; }

    task<error_code> handshake();
    // At least one byte, or an error. A small `room` makes a small buffer while it waits.
    task<error_code> read_some(boost::asio::mutable_buffer room, std::size_t& got);
    // Sends some of it and says how much of `bytes` is gone, which may be nothing yet. What follows must begin there.
    task<error_code> write_some(boost::asio::const_buffer bytes, std::size_t& written);
    // Tells the peer that nothing follows; does not wait for its answer.
    task<error_code> shutdown();

private:
    struct ssl_release {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    struct transport; // OpenSSL's way to the two buffers below

    error_code failure(int returned);
    task<error_code> receive(std::size_t most);
    task<error_code> send_once();
    task<error_code> send_all();

    boost::beast::tcp_stream socket_;
    std::unique_ptr<SSL, ssl_release> ssl_;
    std::vector<char> received_;
    std::span<const char> incoming_; // of received_: what OpenSSL has not taken yet
    std::vector<char> outgoing_;
    std::size_t sent_ = 0;      // of outgoing_
    std::size_t encrypted_ = 0; // bytes of the caller's that outgoing_ stands for
};

} // namespace xentz::http::detail
