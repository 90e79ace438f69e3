// What is done with a socket while bytes come or go without waiting, past Asio: to wait for each piece costs more than
// hashing it.
//
// Threads: that of the connection's coroutine.
#pragma once

#include "http/detail/server_context.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace xentz::http::detail {

// After so much at once, others have their turn.
constexpr std::uint64_t most_at_once = std::uint64_t{16} << 20U;

// How long the thread that has a turn waits for a client that keeps up but for the moment: coming back costs more than
// waiting, but the turns are few. So it is `most` in all, and 10 ms at once where somebody else waits for the turn.
class patience {
public:
    explicit patience(const blocking_turns& turns, std::chrono::milliseconds most = std::chrono::milliseconds{200})
        : turns_{turns}, left_{most}
    {
    }

    // Until the socket can be read (POLLIN) or written (POLLOUT). False where it cannot yet, or has failed.
    bool until(int socket, short what);

    // Counts what was waited for elsewhere. False where no more should be waited for.
    bool spend(std::chrono::steady_clock::duration waited);

private:
    const blocking_turns& turns_;
    std::chrono::steady_clock::duration left_;
};

// Without any wait, once. 0 where nothing can be said without waiting, be it that the connection has ended.
std::size_t receive_now(int socket, std::span<char> out);
std::size_t send_now(int socket, std::span<const char> bytes, bool more);

// Fills a front part of `out`, of `least` bytes or more where they keep coming. 0 where none came, or the connection
// has ended: the next wait for bytes finds out which.
std::size_t receive_ready(patience& waits, int socket, std::span<char> out, std::size_t least);

// Sends a front part of `bytes`, all of them where the socket keeps taking them.
std::size_t send_ready(patience& waits, int socket, std::span<const char> bytes);

// Sends what is left of a source straight into the socket while that takes it. What of `left` is not sent is to be read
// and written in the ordinary way, for a piece at least. False where the source failed. Where the socket does not take
// all at once, it blocks meanwhile, for 10 ms without any progress.
bool send_ready(server_context& context, const exchange& e, patience& waits, std::unique_ptr<body_source>& source,
                int socket, std::uint64_t& left);

} // namespace xentz::http::detail
