#include "http/detail/tls_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace xentz::http::detail {
namespace {

namespace asio = boost::asio;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t handshake_step = std::size_t{4} << 10U;
constexpr std::size_t encrypted_step = std::size_t{32} << 10U; // two records

} // namespace

// A BIO (bio(7)) whose data is the stream.
struct tls_stream::transport {
    static tls_stream& of(BIO* bio) { return *static_cast<tls_stream*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* out, int most)
    {
        auto& from = of(bio).incoming_;
        BIO_clear_retry_flags(bio);
        if (from.empty()) {
            BIO_set_retry_read(bio);
            return -1;
        }
        const auto n = std::min(from.size(), static_cast<std::size_t>(std::max(most, 0)));
        std::memcpy(out, from.data(), n);
        from = from.subspan(n);
        return static_cast<int>(n);
    }
    static int write(BIO* bio, const char* in, int size)
    {
        BIO_clear_retry_flags(bio);
        auto& to = of(bio).outgoing_;
        to.insert(to.end(), in, in + size);
        return size;
    }
    static long control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

    static BIO_METHOD* method()
    {
        struct release {
            void operator()(BIO_METHOD* m) const { BIO_meth_free(m); }
        };
        static const std::unique_ptr<BIO_METHOD, release> made = [] {
            std::unique_ptr<BIO_METHOD, release> m{
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection")};
            if (m == nullptr) throw std::bad_alloc{};
            BIO_meth_set_read(m.get(), read);
            BIO_meth_set_write(m.get(), write);
            BIO_meth_set_ctrl(m.get(), control);
            return m;
        }();
        return made.get();
    }
};

tls_stream::tls_stream(boost::beast::tcp_stream socket, asio::ssl::context& tls)
    : socket_(std::move(socket)), ssl_(SSL_new(tls.native_handle()))
{
    BIO* bio = BIO_new(transport::method());
    if (ssl_ == nullptr || bio == nullptr) {
        BIO_free(bio);
        throw std::bad_alloc{};
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio); // which owns it now
    SSL_set_accept_state(ssl_.get());
}

tls_stream::~tls_stream() = default;

// Nothing where OpenSSL only waits for more bytes. To be asked on the thread of the call that `returned`.
error_code tls_stream::failure(int returned)
{
    switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
        return {};
    case SSL_ERROR_ZERO_RETURN:
        return asio::error::eof;
    case SSL_ERROR_SSL:
        if (const auto code = ERR_get_error(); code != 0)
            return {static_cast<int>(code), asio::error::get_ssl_category()};
        [[fallthrough]];
    default:
        return asio::error::connection_aborted;
    }
}

task<error_code> tls_stream::handshake()
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
        error = co_await receive(handshake_step);
        if (error) co_return error;
    }
}

task<error_code> tls_stream::read_some(asio::mutable_buffer room, std::size_t& got)
{
    got = 0;
    for (;;) {
        error_code failed;
        while (!failed && got < room.size()) {
            ERR_clear_error();
            std::size_t n = 0;
            const int done = SSL_read_ex(ssl_.get(), static_cast<char*>(room.data()) + got, room.size() - got, &n);
            got += n;
            if (done == 1) continue;
            failed = failure(done);
            break;
        }
        // A failure comes again with the next call.
        if (got > 0) co_return error_code{};
        error_code error = co_await send_all();
        if (failed) co_return failed;
        if (error) co_return error;
        error = co_await receive(room.size());
        if (error) co_return error;
    }
}

task<error_code> tls_stream::write_some(asio::const_buffer bytes, std::size_t& written)
{
    written = 0;
    if (outgoing_.empty()) {
        ERR_clear_error();
        const int done = SSL_write_ex(ssl_.get(), bytes.data(), std::min(bytes.size(), encrypted_step), &encrypted_);
        if (done != 1) {
            const error_code failed = failure(done);
            co_return failed ? failed : error_code{asio::error::connection_aborted};
        }
    }
    const error_code error = co_await send_once();
    if (!error && outgoing_.empty()) written = std::exchange(encrypted_, 0);
    co_return error;
}

task<error_code> tls_stream::shutdown()
{
    ERR_clear_error();
    SSL_shutdown(ssl_.get()); // where it fails, there is nobody to tell
    const error_code error = co_await send_all();
    co_return error;
}

task<error_code> tls_stream::receive(std::size_t most)
{
    // An idle connection gives back what the last request needed.
    if (outgoing_.empty()) outgoing_.shrink_to_fit();
    if (received_.size() != most) {
        std::vector<char>{}.swap(received_);
        received_.resize(most);
    }
    const auto room = asio::buffer(received_);
    auto [error, got] = co_await socket_.async_read_some(room, as_result);
    incoming_ = std::span<const char>{received_.data(), got};
    co_return error;
}

task<error_code> tls_stream::send_once()
{
    const auto rest = asio::buffer(outgoing_.data() + sent_, outgoing_.size() - sent_);
    auto [error, n] = co_await socket_.async_write_some(rest, as_result);
    sent_ += n;
    if (sent_ == outgoing_.size()) {
        outgoing_.clear();
        sent_ = 0;
    }
    co_return error;
}

task<error_code> tls_stream::send_all()
{
    error_code error;
    while (!error && !outgoing_.empty()) error = co_await send_once();
    co_return error;
}

} // namespace xentz::http::detail
