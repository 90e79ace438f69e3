// Requests and answers between the real client, or raw bytes, and the real server.
#include "contract/http/support.hpp"

namespace xentz::http::testing {
namespace {

admission echo(const request_head& head)
{
    if (head.method == "POST") {
        return collect{1 << 20U, [](const request& r) { return text_response("got " + r.body); }};
    }
    const auto* extra = head.find("X-Extra");
    return text_response(head.method + " " + head.path + "?" + head.query + " " + (extra == nullptr ? "" : *extra) +
                         " from " + head.remote_address + (head.tls ? " by tls" : ""));
}

TEST(exchange, carries_method_path_query_headers_and_body)
{
    running_server s{echo};
    const auto c = make_client({});
    auto request = get(s.url("/a/../%2f?x=1&y=%20"));
    request.headers.push_back({"x-extra", "more"});
    const auto answer = exchange_with(*c, request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /a/../%2f?x=1&y=%20 more from 127.0.0.1");
    EXPECT_EQ(*answer.find("content-type"), "text/plain");
    EXPECT_EQ(*answer.find("Server"), "xentz");
    EXPECT_EQ(answer.find("Date")->size(), std::string_view{"Sun, 06 Nov 1994 08:49:37 GMT"}.size());
    EXPECT_TRUE(answer.find("Date")->ends_with(" GMT"));
    EXPECT_EQ(exchange_with(*c, post(s.url("/"), "a body")).body, "got a body");
    EXPECT_EQ(exchange_with(*c, post(s.url("/"), "")).body, "got ");
    const auto large = pattern_text(0, 900000);
    EXPECT_EQ(exchange_with(*c, post(s.url("/"), large)).body, "got " + large);
}

TEST(exchange, keeps_the_connection_for_further_requests)
{
    running_server s{echo};
    raw_connection c{s.port()};
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(c.send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n"));
        const auto answer = c.receive();
        EXPECT_EQ(answer.body, "GET /" + std::to_string(i) + "?  from 127.0.0.1");
        EXPECT_EQ(answer.find("Connection"), "");
        ASSERT_TRUE(c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd"));
        EXPECT_EQ(c.receive().body, "got abcd");
    }
    ASSERT_TRUE(c.send("GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    const auto last = c.receive();
    EXPECT_EQ(last.status, 200);
    EXPECT_EQ(last.find("Connection"), "close");
    EXPECT_TRUE(c.closed_within(10s));
}

TEST(exchange, answers_pipelined_requests_in_their_order)
{
    running_server s{echo};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
                       "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_EQ(c.receive().body, "GET /1?  from 127.0.0.1");
    EXPECT_EQ(c.receive().body, "got abc");
    EXPECT_EQ(c.receive().body, "got de");
    EXPECT_EQ(c.receive().body, "GET /4?  from 127.0.0.1");
}

TEST(exchange, takes_a_request_that_comes_byte_by_byte)
{
    running_server s{echo};
    raw_connection c{s.port()};
    for (const char byte : std::string_view{"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                            "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"}) {
        ASSERT_TRUE(c.send({&byte, 1}));
    }
    EXPECT_EQ(c.receive().body, "got abcde");
}

TEST(exchange, speaks_http_1_0)
{
    source_record record;
    running_server s{[&](const request_head& head) -> admission {
        if (head.path != "/source") return echo(head);
        response r;
        r.body = make_source(record, 300000);
        return r;
    }};
    raw_connection plain{s.port()};
    ASSERT_TRUE(plain.send("GET /x HTTP/1.0\r\n\r\n"));
    const auto answer = plain.receive();
    EXPECT_EQ(answer.body, "GET /x?  from 127.0.0.1");
    EXPECT_EQ(answer.find("Connection"), "close");
    EXPECT_TRUE(plain.closed_within(10s));

    raw_connection kept{s.port()};
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(kept.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        EXPECT_EQ(kept.receive().find("Connection"), "keep-alive");
    }
    // A body of unknown length can only be ended by the connection's end.
    ASSERT_TRUE(kept.send("GET /source HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    const auto streamed = kept.receive();
    EXPECT_EQ(streamed.find("Transfer-Encoding"), "");
    EXPECT_EQ(streamed.find("Connection"), "close");
    EXPECT_EQ(streamed.body, pattern_text(0, 300000));
}

TEST(exchange, understands_the_absolute_form_of_a_target)
{
    running_server s{echo};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send("GET http://h:1/p/q?r HTTP/1.1\r\nHost: h:1\r\n\r\nGET http://h?r HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_EQ(c.receive().body, "GET /p/q?r  from 127.0.0.1");
    EXPECT_EQ(c.receive().body, "GET /?r  from 127.0.0.1");
}

TEST(exchange, sends_no_body_to_head)
{
    source_record record;
    running_server s{[&](const request_head& head) -> admission {
        response r;
        if (head.path == "/source") {
            r.body = make_source(record, 1000);
            r.content_length = 1000;
        } else if (head.path == "/length") {
            r.content_length = 123456789012;
        } else {
            r.body = "twelve bytes";
        }
        return r;
    }};
    raw_connection c{s.port()};
    for (const auto& [path, length] : std::vector<std::pair<std::string, std::string>>{
             {"/text", "12"}, {"/source", "1000"}, {"/length", "123456789012"}}) {
        ASSERT_TRUE(c.send("HEAD " + path + " HTTP/1.1\r\nHost: h\r\n\r\n"));
        const auto answer = c.receive(true);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.find("Content-Length"), length);
    }
    EXPECT_TRUE(record.state.wait([&] { return record.destroyed.load(); }));
    EXPECT_EQ(record.produced, 0U);
    auto request = get(s.url("/length"));
    request.method = "HEAD";
    EXPECT_EQ(*exchange_with(*make_client({}), request).find("Content-Length"), "123456789012");
}

TEST(exchange, leaves_the_body_of_204_and_304_away)
{
    running_server s{[](const request_head& head) -> admission {
        return text_response("not to be sent", head.path == "/304" ? 304 : 204);
    }};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send("GET /204 HTTP/1.1\r\nHost: h\r\n\r\nGET /304 HTTP/1.1\r\nHost: h\r\n\r\n"
                       "GET /204 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    for (const int status : {204, 304, 204}) {
        const auto answer = c.receive();
        EXPECT_EQ(answer.status, status);
        EXPECT_EQ(answer.find("Content-Length"), "");
    }
    EXPECT_EQ(c.receive_until_closed(), "");
}

TEST(exchange, routes_with_404_and_405)
{
    router r{"/base"};
    r.add("GET", "/a", echo);
    running_server s{r};
    const auto c = make_client({});
    EXPECT_EQ(exchange_with(*c, get(s.url("/base/a?b"))).body, "GET /a?b  from 127.0.0.1");
    const auto missing = exchange_with(*c, get(s.url("/a")));
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(*missing.find("Content-Type"), "application/problem+json");
    EXPECT_EQ(parse_problem(missing.body)->type, "not-found");
    auto wrong = get(s.url("/base/a"));
    wrong.method = "DELETE";
    const auto refused = exchange_with(*c, wrong);
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(*refused.find("Allow"), "GET, HEAD");
    EXPECT_EQ(parse_problem(refused.body)->type, "method-not-allowed");
}

TEST(exchange, sends_a_produced_body_with_or_without_its_length)
{
    for (const std::uint64_t size : {0ULL, 1ULL, 1000ULL, 262144ULL, 5000001ULL}) {
        for (const bool announced : {true, false}) {
            source_record record;
            running_server s{[&](const request_head&) -> admission {
                response r;
                r.body = make_source(record, size);
                if (announced) r.content_length = size;
                return r;
            }};
            raw_connection c{s.port()};
            ASSERT_TRUE(c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
            const auto answer = c.receive();
            EXPECT_EQ(answer.status, 200);
            EXPECT_EQ(answer.find("Content-Length"), announced ? std::to_string(size) : "");
            EXPECT_EQ(answer.find("Transfer-Encoding"), announced ? "" : "chunked");
            EXPECT_TRUE(answer.body == pattern_text(0, size)) << size;
            EXPECT_TRUE(record.state.wait([&] { return record.destroyed.load(); }));
            EXPECT_TRUE(exchange_with(*make_client({.most_body_bytes = 10000000}), get(s.url("/"))).body ==
                        answer.body);
        }
    }
}

TEST(exchange, lets_a_body_send_itself_whoever_is_slow)
{
    for (const std::uint64_t size : {1ULL, 100'000ULL, 20'000'001ULL}) {
        for (const auto pause : {0, 20}) {
            source_record record;
            running_server s{[&](const request_head&) -> admission {
                response r;
                r.body = make_sending_source(record, size);
                r.content_length = size;
                return r;
            }};
            raw_connection c{s.port()};
            ASSERT_TRUE(c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
            std::this_thread::sleep_for(std::chrono::milliseconds{pause});
            const auto answer = c.receive();
            EXPECT_TRUE(answer.body == pattern_text(0, size)) << size;
            EXPECT_TRUE(record.state.wait([&] { return record.destroyed.load(); }));
            ASSERT_TRUE(c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
            EXPECT_TRUE(c.receive().body == pattern_text(0, size)) << "the connection goes on";
        }
    }
}

TEST(exchange, a_body_that_sends_itself_to_nobody_ends)
{
    source_record record;
    running_server s{[&](const request_head&) -> admission {
        response r;
        r.body = make_sending_source(record, std::uint64_t{1} << 40U);
        r.content_length = std::uint64_t{1} << 40U;
        return r;
    }};
    {
        raw_connection c{s.port()};
        ASSERT_TRUE(c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        ASSERT_TRUE(record.state.wait([&] { return record.produced > 1'000'000; }));
    }
    EXPECT_TRUE(record.state.wait([&] { return record.destroyed.load(); }));
}

TEST(exchange, breaks_off_where_a_body_cannot_be_produced_to_its_end)
{
    for (const bool announced : {true, false}) {
        source_record record;
        running_server s{[&](const request_head& head) -> admission {
            response r;
            r.body = make_source(record, 1000000, 100000, head.path == "/short" ? std::nullopt : std::optional{500000});
            if (announced) r.content_length = head.path == "/short" ? 1000001 : 1000000;
            return r;
        }};
        const auto c = make_client({});
        const auto broken = c->send(get(s.url("/broken")), {});
        ASSERT_FALSE(broken.has_value());
        EXPECT_EQ(broken.error().code, base::fault_code::network_unreachable);
        EXPECT_TRUE(record.state.wait([&] { return record.destroyed.load(); }));
        EXPECT_TRUE(s.log().contains("the disk is broken"));
        if (announced) {
            EXPECT_FALSE(c->send(get(s.url("/short")), {}).has_value());
            EXPECT_TRUE(s.log().contains("before the length that was announced"));
        }
    }
}

TEST(exchange, goes_on_after_an_exception_of_a_handler)
{
    running_server s{[](const request_head& head) -> admission {
        if (head.path == "/begin") throw std::runtime_error{"the begin\nis broken"};
        if (head.path == "/odd") throw 42; // NOLINT: any type may be thrown
        if (head.path == "/then") {
            return collect{100, [](const request&) -> response { throw std::runtime_error{"then broke"}; }};
        }
        if (head.path == "/line") {
            auto r = text_response("x");
            r.headers.push_back({"X-Bad", "a\r\nSet-Cookie: b"});
            return r;
        }
        if (head.path == "/empty") return upload{100, nullptr};
        return echo(head);
    }};
    raw_connection c{s.port()};
    for (const std::string path : {"/begin", "/odd", "/then", "/line", "/empty"}) {
        ASSERT_TRUE(c.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n"));
        const auto answer = c.receive();
        EXPECT_EQ(answer.status, 500) << path;
        ASSERT_TRUE(parse_problem(answer.body).has_value()) << path;
        EXPECT_EQ(parse_problem(answer.body)->type, "internal");
        EXPECT_EQ(answer.body.find("broke"), std::string::npos) << "the cause is for the log only";
        EXPECT_EQ(answer.find("Set-Cookie"), "");
    }
    EXPECT_TRUE(s.log().contains("GET /begin failed: the begin is broken"));
    EXPECT_TRUE(s.log().contains("then broke"));
    ASSERT_TRUE(c.send("GET /fine HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_EQ(c.receive().status, 200);
}

} // namespace
} // namespace xentz::http::testing
