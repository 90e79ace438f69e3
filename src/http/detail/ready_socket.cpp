#include "http/detail/ready_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <poll.h>
#include <sys/socket.h>

namespace xentz::http::detail {
namespace {

// So long a thread waits for a client that keeps up but for the moment.
constexpr int patience_milliseconds = 2;
constexpr std::uint64_t send_step = std::uint64_t{1} << 20U;

bool becomes(int socket, short what)
{
    pollfd waited{.fd = socket, .events = what, .revents = 0};
    return ::poll(&waited, 1, patience_milliseconds) == 1 && waited.revents == what;
}

} // namespace

std::size_t receive_now(int socket, std::span<char> out)
{
    const auto n = ::recv(socket, out.data(), out.size(), MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
}

std::size_t send_now(int socket, std::span<const char> bytes, bool more)
{
    const auto n = ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    return n > 0 ? static_cast<std::size_t>(n) : 0;
}

std::size_t receive_ready(int socket, std::span<char> out)
{
    std::size_t got = 0;
    while (got < out.size()) {
        const auto n = ::recv(socket, out.data() + got, out.size() - got, MSG_DONTWAIT);
        if (n > 0) {
            got += static_cast<std::size_t>(n);
            continue;
        }
        const bool may_come = n < 0 && (errno == EAGAIN || errno == EINTR);
        if (!may_come || !becomes(socket, POLLIN)) break;
    }
    return got;
}

bool send_ready(server_context& context, const exchange& e, std::unique_ptr<body_source>& source, int socket,
                std::uint64_t& left)
{
    try {
        bool waited = false;
        for (std::uint64_t total = 0; left > 0 && total < most_at_once;) {
            const auto sent = source->send_to(socket, std::min(left, send_step));
            if (!sent) report_failure(context, e, sentence(sent.error()));
            if (!sent) return false;
            if (!*sent) break;
            left -= **sent;
            total += **sent;
            // One that is said to take something and does not has ended.
            const bool goes_on = **sent > 0 || (!waited && becomes(socket, POLLOUT));
            if (!goes_on) break;
            waited = **sent == 0;
        }
        if (left == 0) source.reset();
        return true;
    } catch (const std::exception& error) {
        report_failure(context, e, error.what());
        return false;
    }
}

} // namespace xentz::http::detail
