#include "http/detail/tls_stream.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace xentz::http::detail {

namespace asio = boost::asio;

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

tls_stream::tls_stream(asio::ip::tcp::socket socket, asio::ssl::context& tls)
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

// Fills `out` with what was received, and says in `got` how much that is; also beside a failure.
error_code tls_stream::decrypt(std::span<char> out, std::size_t& got)
{
    got = 0;
    while (got < out.size()) {
        ERR_clear_error();
        std::size_t n = 0;
        const int done = SSL_read_ex(ssl_.get(), out.data() + got, out.size() - got, &n);
        if (done != 1) return failure(done);
        got += n;
    }
    return {};
}

// Puts a front part of `bytes`, `encrypted_` of them, into what is to be sent, which is empty.
error_code tls_stream::encrypt(std::span<const char> bytes)
{
    ERR_clear_error();
    const int done = SSL_write_ex(ssl_.get(), bytes.data(), std::min(bytes.size(), tls_encrypted_step), &encrypted_);
    if (done == 1) return {};
    const error_code failed = failure(done);
    return failed ? failed : error_code{asio::error::connection_aborted};
}

// An idle connection, which waits for little, gives back what the last request needed; a busy one keeps it.
void tls_stream::make_room(std::size_t most)
{
    if (outgoing_.empty()) outgoing_.shrink_to_fit();
    const auto size = std::min(most, tls_received_step);
    if (received_.size() == size || (received_.size() > size && size > tls_handshake_step)) return;
    std::vector<char>{}.swap(received_);
    received_.resize(size);
}

// Whether all is sent now.
bool tls_stream::has_sent(std::size_t n)
{
    sent_ += n;
    if (sent_ < outgoing_.size()) return false;
    outgoing_.clear();
    sent_ = 0;
    return true;
}

std::size_t tls_stream::read_ready(patience& waits, std::span<char> out, std::size_t least)
{
    std::size_t got = 0;
    for (;;) {
        std::size_t n = 0;
        const error_code failed = decrypt(out.subspan(got), n);
        got += n;
        if (failed || got >= least || !outgoing_.empty()) return got;
        make_room(out.size());
        // Encrypted it is more, but part of a record may be here already.
        const auto missing = least - got;
        const auto wanted = missing > 2 * tls_record ? std::min(missing - tls_record, received_.size()) : 1;
        n = receive_ready(waits, socket_.native_handle(), received_, wanted);
        if (n == 0) return got;
        incoming_ = std::span<const char>{received_.data(), n};
    }
}

std::size_t tls_stream::write_ready(patience& waits, std::span<const char> bytes)
{
    std::size_t gone = 0;
    while (gone < bytes.size()) {
        if (outgoing_.empty() && encrypt(bytes.subspan(gone))) break;
        const auto rest = std::span<const char>{outgoing_}.subspan(sent_);
        if (!has_sent(send_ready(waits, socket_.native_handle(), rest))) break;
        gone += std::exchange(encrypted_, 0);
    }
    return gone;
}

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

} // namespace xentz::http::detail
