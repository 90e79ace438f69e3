#include "http/detail/exchange.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace xentz::http::detail {
namespace {

namespace beast_http = boost::beast::http;

problem malformed(std::string detail) { return {400, "bad-request", "malformed request", std::move(detail)}; }

std::string text(boost::beast::string_view view) { return {view.data(), view.size()}; }

bool same_word(std::string_view a, std::string_view b)
{
    return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

std::size_t count(const std::vector<header>& headers, std::string_view name)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(headers, [&](const header& h) { return same_word(h.name, name); }));
}

std::optional<problem> check_framing(const exchange& e, const request_parser& parser)
{
    const auto lengths = count(e.head.headers, "Content-Length");
    const auto codings = count(e.head.headers, "Transfer-Encoding");
    if (lengths + codings > 1) return malformed("the length of the body is given more than once");
    if (lengths == 1 && e.head.find("Content-Length")->find(',') != std::string::npos) {
        return malformed("the length of the body is given more than once");
    }
    if (codings == 0) return std::nullopt;
    if (e.http_1_0) return malformed("HTTP/1.0 knows no Transfer-Encoding");
    if (!parser.chunked() || !same_word(*e.head.find("Transfer-Encoding"), "chunked")) {
        return malformed("chunked is the only Transfer-Encoding this server takes");
    }
    return std::nullopt;
}

std::optional<problem> split_target(std::string target, request_head& head)
{
    // A client that believes to speak to a proxy sends the absolute form.
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.size() < scheme.size() || !same_word(std::string_view{target}.substr(0, scheme.size()), scheme)) {
            continue;
        }
        const auto slash = target.find_first_of("/?", scheme.size());
        target = slash == std::string::npos ? "/" : target.substr(slash);
        if (target.front() == '?') target.insert(0, "/");
        break;
    }
    if (!target.starts_with('/') && target != "*") return malformed("the target of the request is no path");
    const auto mark = target.find('?');
    head.path = target.substr(0, mark);
    if (mark != std::string::npos) head.query = target.substr(mark + 1);
    return std::nullopt;
}

// Found by the parser, not by the network.
bool is_of_http(error_code error)
{
    return error.category() == beast_http::make_error_code(beast_http::error::bad_method).category();
}

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

bool belongs_to_server(std::string_view name)
{
    constexpr std::array<std::string_view, 6> names{
        "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Date", "Server"};
    return std::ranges::any_of(names, [&](std::string_view n) { return same_word(n, name); });
}

bool is_header_name(std::string_view name)
{
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::ranges::all_of(name, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != std::string_view::npos;
    });
}

} // namespace

std::optional<problem> read_head(const request_parser& parser, exchange& e)
{
    const auto& message = parser.get();
    e.head.method = text(message.method_string());
    for (const auto& field : message) e.head.headers.push_back({text(field.name_string()), text(field.value())});
    e.http_1_0 = message.version() == 10;
    e.body_read = parser.is_done();
    if (auto p = check_framing(e, parser)) return p;
    if (auto p = split_target(text(message.target()), e.head)) return p;
    const auto hosts = count(e.head.headers, "Host");
    if (hosts > 1 || (hosts == 0 && !e.http_1_0)) return malformed("the request must name its host once");

    e.keep_alive = message.keep_alive();
    e.head.chunked = parser.chunked();
    if (const auto length = parser.content_length()) e.head.content_length = *length;
    const auto* expect = e.head.find("Expect");
    e.expects_continue = !e.http_1_0 && expect != nullptr && same_word(*expect, "100-continue");
    return std::nullopt;
}

std::optional<problem> head_problem(error_code error, std::size_t most_header_bytes)
{
    using cause = beast_http::error;
    if (error == cause::header_limit || error == cause::buffer_overflow) {
        return problem{431, "header-too-large", "headers too large",
                       "the headers of a request may have " + std::to_string(most_header_bytes) + " bytes"};
    }
    if (!is_of_http(error)) return std::nullopt;
    return malformed("this is no HTTP/1.1 request: " + error.message());
}

std::optional<problem> body_problem(error_code error, std::uint64_t most)
{
    if (error == beast_http::error::body_limit) {
        return problem{413, "body-too-large", "body too large", "the body may have " + std::to_string(most) + " bytes"};
    }
    if (!is_of_http(error)) return std::nullopt;
    return malformed("the body of the request is malformed: " + error.message());
}

problem internal_problem()
{
    return {500, "internal", "internal error", "the server failed at this request; its log says why"};
}

answer_plan plan_answer(const exchange& e, const response& r)
{
    answer_plan plan;
    plan.close = !e.keep_alive || !e.body_read;
    const auto* whole = std::get_if<std::string>(&r.body);
    const bool head_only = e.head.method == "HEAD";
    plan.send_body = has_body(r.status) && !head_only;
    if (r.status == 204) return plan;
    if (r.status == 304 || head_only) {
        plan.length = r.content_length;
        if (!plan.length && head_only && whole != nullptr) plan.length = whole->size();
        return plan;
    }
    if (whole != nullptr) {
        plan.length = whole->size();
    } else {
        plan.length = r.content_length;
    }
    if (plan.length) {
        plan.frame = framing::by_length;
    } else if (e.http_1_0) {
        plan.frame = framing::until_close;
        plan.close = true;
    } else {
        plan.frame = framing::chunked;
    }
    return plan;
}

std::string defect(const response& r)
{
    if (r.status < 200 || r.status > 599) return "a response of status " + std::to_string(r.status);
    for (const auto& h : r.headers) {
        if (!is_header_name(h.name)) return "a response header without a proper name";
        if (h.value.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos) {
            return "a line break in the response header " + h.name;
        }
    }
    const auto* source = std::get_if<std::unique_ptr<body_source>>(&r.body);
    if (source != nullptr && *source == nullptr) return "a response with an empty body source";
    return {};
}

std::string head_text(const response& r, const answer_plan& plan, bool http_1_0)
{
    const auto reason = beast_http::obsolete_reason(beast_http::int_to_status(static_cast<unsigned>(r.status)));
    std::string out = "HTTP/1.1 " + std::to_string(r.status) + " " + text(reason) + "\r\nServer: xentz\r\nDate: " +
                      to_date(floor<std::chrono::microseconds>(std::chrono::system_clock::now())) + "\r\n";
    for (const auto& h : r.headers) {
        if (!belongs_to_server(h.name)) out += h.name + ": " + h.value + "\r\n";
    }
    if (plan.length) out += "Content-Length: " + std::to_string(*plan.length) + "\r\n";
    if (plan.frame == framing::chunked) out += "Transfer-Encoding: chunked\r\n";
    if (plan.close) {
        out += "Connection: close\r\n";
    } else if (http_1_0) {
        out += "Connection: keep-alive\r\n";
    }
    return out + "\r\n";
}

std::span<const char> as_chunk(std::span<char> room, std::size_t size)
{
    room[chunk_begin + size] = '\r';
    room[chunk_begin + size + 1] = '\n';
    auto at = chunk_begin;
    room[--at] = '\n';
    room[--at] = '\r';
    auto rest = size;
    do {
        room[--at] = "0123456789abcdef"[rest % 16];
        rest /= 16;
    } while (rest > 0);
    return room.subspan(at, chunk_begin - at + size + 2);
}

} // namespace xentz::http::detail
