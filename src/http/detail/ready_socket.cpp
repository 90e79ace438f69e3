#include "http/detail/ready_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace xentz::http::detail {
namespace {

constexpr std::chrono::milliseconds longest_step{10};

// From how many bytes on a socket wakes who waits for it (SO_RCVLOWAT, socket(7)): a client sends in small pieces, and
// to be woken for each costs more than what is done with it.
class waking_at {
public:
    explicit waking_at(int socket) : socket_{socket} {}
    ~waking_at()
    {
        if (is_set_) apply(1);
    }
    waking_at(const waking_at&) = delete;
    waking_at& operator=(const waking_at&) = delete;

    void set(std::size_t bytes)
    {
        if (bytes == 1 && !is_set_) return;
        apply(static_cast<int>(bytes));
        is_set_ = true;
    }

private:
    // Where it fails, one is woken more often.
    void apply(int bytes) const { ::setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes); }

    int socket_;
    bool is_set_ = false;
};

// While one lives, who writes to the socket waits in the system until it takes more, for as long as `longest_step` and
// no longer (SO_SNDTIMEO, socket(7)). To be told that it takes no more, to wait for it and to write again costs more
// (docs/benchmarks.md).
class blocking_writes {
public:
    explicit blocking_writes(int socket) : socket_{socket}
    {
        const timeval limit{.tv_sec = 0, .tv_usec = std::chrono::microseconds{longest_step}.count()};
        if (::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0) apply(0);
    }
    ~blocking_writes() { apply(1); }
    blocking_writes(const blocking_writes&) = delete;
    blocking_writes& operator=(const blocking_writes&) = delete;

private:
    void apply(int at_once) const { ::ioctl(socket_, FIONBIO, &at_once); }

    int socket_;
};

// A slow client can hold up who writes to a blocking socket for each of sendfile's steps, of 64 KiB. Where nobody waits
// for the turn a call may be for more: the gain of blocking was not seen in calls of 1 MiB.
constexpr std::uint64_t most_where_wanted = std::uint64_t{1} << 20U;

} // namespace

bool patience::spend(std::chrono::steady_clock::duration waited)
{
    left_ -= waited;
    return left_ > left_.zero() && (waited < longest_step || !turns_.is_wanted());
}

bool patience::until(int socket, short what)
{
    using clock = std::chrono::steady_clock;
    pollfd waited{.fd = socket, .events = what, .revents = 0};
    const auto until = clock::now() + left_;
    while (left_ > left_.zero()) {
        const auto step = std::min(std::chrono::ceil<std::chrono::milliseconds>(left_), longest_step);
        const bool ready = ::poll(&waited, 1, static_cast<int>(step.count())) == 1;
        left_ = until - clock::now();
        if (ready || turns_.is_wanted()) return waited.revents == what;
    }
    return false;
}

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

std::size_t receive_ready(patience& waits, int socket, std::span<char> out, std::size_t least)
{
    std::size_t got = 0;
    waking_at waking{socket};
    while (got < least) {
        const auto n = ::recv(socket, out.data() + got, out.size() - got, MSG_DONTWAIT);
        if (n > 0) {
            got += static_cast<std::size_t>(n);
            continue;
        }
        const bool may_come = n < 0 && (errno == EAGAIN || errno == EINTR);
        if (!may_come) break;
        waking.set(least - got);
        if (!waits.until(socket, POLLIN)) break;
    }
    return got;
}

std::size_t send_ready(patience& waits, int socket, std::span<const char> bytes)
{
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto n = ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            sent += static_cast<std::size_t>(n);
            continue;
        }
        const bool may_go = n < 0 && (errno == EAGAIN || errno == EINTR);
        if (!may_go || !waits.until(socket, POLLOUT)) break;
    }
    return sent;
}

bool send_ready(server_context& context, const exchange& e, patience& waits, std::unique_ptr<body_source>& source,
                int socket, std::uint64_t& left)
{
    try {
        std::optional<blocking_writes> blocking;
        bool is_said_to_take = false;
        for (std::uint64_t total = 0; left > 0 && total < most_at_once;) {
            const auto begun = std::chrono::steady_clock::now();
            const auto most = blocking && context.turns.is_wanted() ? most_where_wanted : most_at_once;
            const auto sent = source->send_to(socket, std::min(left, most));
            if (!sent) report_failure(context, e, sentence(sent.error()));
            if (!sent) return false;
            if (!*sent) break;
            left -= **sent;
            total += **sent;
            if (blocking && !waits.spend(std::chrono::steady_clock::now() - begun)) break;
            // One that is said to take something and does not has ended.
            if (**sent > 0)
                is_said_to_take = false;
            else if (!blocking)
                blocking.emplace(socket);
            else if (is_said_to_take || !waits.until(socket, POLLOUT))
                break;
            else
                is_said_to_take = true;
        }
        if (left == 0) source.reset();
        return true;
    } catch (const std::exception& error) {
        report_failure(context, e, error.what());
        return false;
    }
}

} // namespace xentz::http::detail
