// One request and its answer as far as HTTP/1.1 goes (RFC 9110 and 9112), without input or output: is the head
// acceptable, how is the answer framed, what text stands before its body.
// Threads: functions of their arguments.
#pragma once

#include "http/message.hpp"

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace xentz::http::detail {

using request_parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
using error_code = boost::system::error_code;

struct exchange {
    request_head head;
    bool http_1_0 = false;
    bool keep_alive = false; // whether the connection may serve another request
    bool expects_continue = false;
    bool body_read = false; // nothing of this request is left on the connection
};

// Takes over the head that `parser` has read. Whatever two readers could understand in two ways is refused, so
// that no proxy in front of the server sees other requests than it does.
std::optional<problem> read_head(const request_parser& parser, exchange& e);

// Why a head could not be read; nothing where the client is gone and an answer would reach nobody.
std::optional<problem> head_problem(error_code error, std::size_t most_header_bytes);

// The same for a body.
std::optional<problem> body_problem(error_code error, std::uint64_t most);

problem internal_problem();

enum class framing { no_body, by_length, chunked, until_close };

struct answer_plan {
    framing frame = framing::no_body;
    std::optional<std::uint64_t> length; // as it stands in the head
    bool send_body = false;
    bool close = false;
};

answer_plan plan_answer(const exchange& e, const response& r);

// What makes a response one that cannot be sent: the mistake of a handler; empty where it is fine.
std::string defect(const response& r);

// Everything up to and with the empty line. Framing, Server and Date are the server's: what a handler says about
// them is left out.
std::string head_text(const response& r, const answer_plan& plan, bool http_1_0);

// Room for the frame of a chunk: what stands before its bytes, and all of it.
constexpr std::size_t chunk_begin = 18; // 16 digits and the end of the line
constexpr std::size_t chunk_frame = chunk_begin + 2;

// Writes the frame round the `size` bytes that stand in `room` from chunk_begin on; a chunk of none is the last.
std::span<const char> as_chunk(std::span<char> room, std::size_t size);

} // namespace xentz::http::detail
