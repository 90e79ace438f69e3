// Whatever stands where the head of a request should be, in whatever pieces it arrives: it is refused with a proper
// answer or understood in one way only, and what a handler then asks of it does not throw. The first byte chooses the
// size of the pieces.
#include "http/detail/exchange.hpp"
#include "http/handler.hpp"
#include "require.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace xentz::http::detail {
namespace {

using fuzz::require;

constexpr std::size_t most_header_bytes = 1024;

struct reading {
    exchange e;
    std::optional<problem> refused;
    bool cut_short = false; // more would be waited for
    std::size_t used = 0;
};

// As session::receive_head and serve_one do it.
reading read_in_pieces(std::string_view text, std::size_t piece)
{
    reading r;
    request_parser parser;
    parser.header_limit(static_cast<std::uint32_t>(most_header_bytes));
    parser.body_limit(boost::none);
    error_code error;
    std::string buffer;
    while (!parser.is_header_done() && !error) {
        if (text.empty()) {
            r.cut_short = true;
            return r;
        }
        buffer += text.substr(0, piece);
        text.remove_prefix(std::min(piece, text.size()));
        const auto used = parser.put(boost::asio::buffer(buffer), error);
        buffer.erase(0, used);
        r.used += used;
        if (error == boost::beast::http::error::need_more) error = {};
        const auto held = parser.is_header_done() ? 0 : buffer.size();
        if (!error && r.used + held > most_header_bytes) error = boost::beast::http::error::header_limit;
    }
    r.refused = error ? head_problem(error, most_header_bytes) : read_head(parser, r.e);
    require(!error || r.refused.has_value()); // nothing else but the parser has failed here
    return r;
}

bool is_clean(std::string_view text)
{
    return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void check_answer(const exchange& e, const response& r)
{
    require(defect(r).empty());
    const auto plan = plan_answer(e, r);
    const auto text = head_text(r, plan, e.http_1_0);
    require(text.starts_with("HTTP/1.1 ") && text.ends_with("\r\n\r\n"));
    require(text.find("\r\n\r\n") == text.size() - 4); // nobody else's line breaks
}

void check_understood(const reading& r)
{
    const auto& head = r.e.head;
    require(r.used <= most_header_bytes);
    require(head.path.starts_with('/') || head.path == "*");
    require(head.path.find('?') == std::string::npos);
    require(!(head.chunked && head.content_length));
    require(!head.chunked || !r.e.http_1_0);
    require(!r.e.expects_continue || !r.e.http_1_0);
    std::size_t lengths = 0;
    for (const auto& h : head.headers) {
        require(!h.name.empty() && is_clean(h.name) && is_clean(h.value));
        if (head.find(h.name) == head.find("Content-Length") && head.find("Content-Length") != nullptr) ++lengths;
    }
    require(lengths <= 1);
    if (const auto basic = basic_auth(head)) require(basic->user.find(':') == std::string::npos);
    if (const auto token = bearer_token(head)) require(!token->empty() && is_clean(*token));
    query_value(head.query, "create");

    router routes{"/control"};
    routes.add("GET", "/healthz", [](const request_head&) { return response{}; });
    auto answer = routes.begin(head);
    check_answer(r.e, std::get<response>(answer));
}

bool same(const reading& a, const reading& b)
{
    // What is malformed and comes in pieces may be seen to be so only once an end that never comes is awaited no more.
    const auto understood = [](const reading& r) { return !r.cut_short && !r.refused; };
    if (a.cut_short || b.cut_short) return !understood(a) && !understood(b);
    if (a.refused || b.refused) return a.refused && b.refused && a.refused->status == b.refused->status;
    const auto& x = a.e.head;
    const auto& y = b.e.head;
    return x.method == y.method && x.path == y.path && x.query == y.query && x.content_length == y.content_length &&
           x.chunked == y.chunked && a.e.keep_alive == b.e.keep_alive && a.used == b.used &&
           std::ranges::equal(x.headers, y.headers,
                              [](const header& h, const header& g) { return h.name == g.name && h.value == g.value; });
}

void check(std::string_view text, std::size_t piece)
{
    const auto r = read_in_pieces(text, piece);
    if (r.refused) {
        require(r.refused->status == 400 || r.refused->status == 431);
        check_answer(r.e, to_response(*r.refused));
    } else if (!r.cut_short) {
        check_understood(r);
    }
    // Whether a head is too long may be seen earlier or later; everything else does not depend on the network.
    if (text.size() <= most_header_bytes / 2) require(same(r, read_in_pieces(text, text.size())));
}

} // namespace
} // namespace xentz::http::detail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    const std::string text(data + 1, data + size);
    xentz::http::detail::check(text, std::size_t{1} + data[0]);
    return 0;
}
