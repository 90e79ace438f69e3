// A connection that blocks, plain or with TLS, and the head of an HTTP message: what the floor and the load client of
// `script/bench repo` share. One thread for each connection. What fails is an end: read gives 0, write false.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace bench {

template <auto Free>
struct released {
    template <class T>
    void operator()(T* freed) const
    {
        Free(freed);
    }
};
using tls_context = std::unique_ptr<SSL_CTX, released<SSL_CTX_free>>;
using tls_session = std::unique_ptr<SSL, released<SSL_free>>;

[[noreturn]] inline void give_up(const std::string& why)
{
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(2);
}

// Fewer calls of the system: OpenSSL otherwise reads the five bytes before each record by themselves.
inline tls_context make_tls(const SSL_METHOD* method)
{
    tls_context made{SSL_CTX_new(method)};
    if (!made) give_up("no TLS");
    SSL_CTX_set_read_ahead(made.get(), 1);
    SSL_CTX_set_default_read_buffer_len(made.get(), std::size_t{128} << 10U);
    return made;
}

class line {
public:
    explicit line(int socket) : socket_{socket} {}
    line(const line&) = delete;
    line& operator=(const line&) = delete;
    ~line() { ::close(socket_); }

    bool handshake(SSL_CTX* context, bool as_server)
    {
        tls_.reset(SSL_new(context));
        return tls_ && SSL_set_fd(tls_.get(), socket_) == 1 &&
               (as_server ? SSL_accept(tls_.get()) : SSL_connect(tls_.get())) == 1;
    }

    bool is_tls() const { return tls_ != nullptr; }
    int socket() const { return socket_; }

    std::size_t read(std::span<char> out)
    {
        std::size_t got = 0;
        if (tls_) return SSL_read_ex(tls_.get(), out.data(), out.size(), &got) == 1 ? got : 0;
        return static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(socket_, out.data(), out.size(), 0)));
    }

    // Until `out` is full: one call of the system where the other side is ahead.
    bool read_all(std::span<char> out)
    {
        if (!tls_) return ::recv(socket_, out.data(), out.size(), MSG_WAITALL) == static_cast<ssize_t>(out.size());
        while (!out.empty()) {
            const auto got = read(out);
            if (got == 0) return false;
            out = out.subspan(got);
        }
        return true;
    }

    bool write(std::span<const char> bytes)
    {
        std::size_t done = 0;
        if (tls_) return bytes.empty() || SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &done) == 1;
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
        return true;
    }

private:
    int socket_;
    tls_session tls_;
};

inline bool same_word(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

// The value of a header in the text of a head, or nothing.
inline std::optional<std::string_view> header(std::string_view head, std::string_view name)
{
    for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
        at += 2;
        const auto text = head.substr(at, head.find("\r\n", at) - at);
        if (text.size() <= name.size() || text[name.size()] != ':' || !same_word(text.substr(0, name.size()), name))
            continue;
        const auto value = text.find_first_not_of(' ', name.size() + 1);
        return value == std::string_view::npos ? std::string_view{} : text.substr(value);
    }
    return std::nullopt;
}

inline std::optional<std::size_t> length_in(std::string_view head)
{
    const auto text = header(head, "Content-Length");
    return text ? std::optional<std::size_t>{std::strtoull(std::string{*text}.c_str(), nullptr, 10)} : std::nullopt;
}

// What was read of a connection and not yet taken.
class reader {
public:
    reader(line& from, std::size_t room) : from_{from}, buffer_(room) {}

    // Up to and with the empty line; empty at the end of the connection. Valid until the next call.
    std::string_view head()
    {
        for (;;) {
            const std::string_view seen{buffer_.data() + begin_, end_ - begin_};
            if (const auto end = seen.find("\r\n\r\n"); end != std::string_view::npos) {
                begin_ += end + 4;
                return seen.substr(0, end + 4);
            }
            if (!more()) return {};
        }
    }

    // A piece of a body of which `left` bytes are still to come; empty at the end of the connection. Waits for a full
    // buffer, or for all that is left.
    std::span<const char> piece(std::size_t left)
    {
        if (begin_ == end_) {
            begin_ = 0;
            end_ = std::min(left, buffer_.size());
            if (!from_.read_all(std::span{buffer_}.first(end_))) begin_ = end_ = 0;
        }
        return take(left);
    }

    // The same with what is there already.
    std::span<const char> some(std::size_t left)
    {
        if (begin_ == end_ && !more()) return {};
        return take(left);
    }

    std::size_t waiting() const { return end_ - begin_; }

private:
    std::span<const char> take(std::size_t left)
    {
        const auto taken = std::min(left, end_ - begin_);
        begin_ += taken;
        return {buffer_.data() + begin_ - taken, taken};
    }

    bool more()
    {
        if (begin_ > 0) std::copy(buffer_.data() + begin_, buffer_.data() + end_, buffer_.data());
        end_ -= begin_;
        begin_ = 0;
        const auto got = from_.read(std::span{buffer_}.subspan(end_));
        end_ += got;
        return got > 0;
    }

    line& from_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace bench
