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

// Without any wait, once. 0 where nothing can be said without waiting, be it that the connection has ended.
std::size_t receive_now(int socket, std::span<char> out);
std::size_t send_now(int socket, std::span<const char> bytes, bool more);

// Fills a front part of `out`, all of it where bytes keep coming. 0 where none came, or the connection has ended: the
// next wait for bytes finds out which.
std::size_t receive_ready(int socket, std::span<char> out);

// Sends what is left of a source straight into the socket while that takes it. What of `left` is not sent is to be read
// and written in the ordinary way, for a piece at least. False where the source failed.
bool send_ready(server_context& context, const exchange& e, std::unique_ptr<body_source>& source, int socket,
                std::uint64_t& left);

} // namespace xentz::http::detail
