// How a server ends, and how it refuses to begin.
#include "contract/http/support.hpp"

#include <atomic>

namespace xentz::http::testing {
namespace {

admission hello(const request_head&) { return text_response("hello"); }

TEST(stop, lets_a_request_under_way_finish)
{
    watched state;
    bool inside = false;
    gate g;
    running_server s{[&](const request_head&) -> admission {
        return collect{100, [&](const request& r) {
                           state.change([&] { inside = true; });
                           g.pass();
                           return text_response("done with " + r.body);
                       }};
    }};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
    ASSERT_TRUE(state.wait([&] { return inside; }));
    s.request_stop();
    EXPECT_FALSE(s.ended_within(200ms)) << "it must wait for the request";
    EXPECT_FALSE(raw_connection{s.port()}.connected()) << "it must accept nothing new";
    g.open();
    const auto answer = c.receive();
    EXPECT_EQ(answer.body, "done with abc");
    EXPECT_EQ(answer.find("Connection"), "close");
    c.close();
    EXPECT_TRUE(s.ended_within(10s));
}

TEST(stop, lets_an_upload_under_way_finish)
{
    sink_record record;
    running_server s{[&](const request_head&) -> admission { return upload{1 << 20U, make_sink(record)}; }};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n" + pattern_text(0, 300000)));
    ASSERT_TRUE(record.state.wait([&] { return record.bytes > 0; }));
    s.request_stop();
    EXPECT_FALSE(s.ended_within(100ms));
    ASSERT_TRUE(c.send(pattern_text(300000, 300000)));
    EXPECT_EQ(c.receive().body, "stored 600000");
    c.close();
    EXPECT_TRUE(s.ended_within(10s));
    EXPECT_TRUE(record.finished);
}

TEST(stop, closes_idle_connections_at_once)
{
    running_server s{hello};
    raw_connection fresh{s.port()};
    raw_connection used{s.port()};
    ASSERT_TRUE(used.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_EQ(used.receive().status, 200);
    s.request_stop();
    EXPECT_TRUE(s.ended_within(10s));
    EXPECT_TRUE(used.closed_within(1s));
}

TEST(stop, cuts_what_does_not_end_in_time)
{
    auto options = test_options();
    options.stop_grace = 200ms;
    sink_record record;
    source_record produced;
    running_server s{[&](const request_head& head) -> admission {
                         if (head.method == "POST") return upload{1 << 20U, make_sink(record)};
                         response r;
                         r.body = make_source(produced, std::uint64_t{1} << 40U);
                         return r;
                     },
                     options};
    raw_connection stalled{s.port()};
    raw_connection reader{s.port()};
    raw_connection half{s.port()};
    ASSERT_TRUE(stalled.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n" + pattern_text(0, 300000)));
    ASSERT_TRUE(reader.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    ASSERT_TRUE(half.send("GET / HTT"));
    ASSERT_TRUE(record.state.wait([&] { return record.bytes > 0; }));
    ASSERT_TRUE(produced.state.wait([&] { return produced.produced > 0; }));
    s.request_stop();
    EXPECT_TRUE(s.ended_within(10s));
    EXPECT_TRUE(record.destroyed);
    EXPECT_FALSE(record.finished);
    EXPECT_TRUE(produced.destroyed);
    EXPECT_TRUE(s.log().contains("that did not end in time"));
}

TEST(stop, may_come_before_the_start)
{
    function_handler h{hello};
    memory_log log;
    auto s = make_server(test_options(), h, log);
    ASSERT_TRUE(s.has_value());
    std::stop_source stop;
    stop.request_stop();
    (*s)->run(stop.get_token());
}

TEST(stop, keeps_its_promise_under_load)
{
    for (int round = 0; round < 10; ++round) {
        running_server s{hello};
        std::atomic<int> answers = 0;
        std::vector<std::jthread> clients;
        for (int i = 0; i < 4; ++i) {
            clients.emplace_back([&](const std::stop_token& stop) {
                const auto c = make_client({});
                while (!stop.stop_requested() && c->send(get(s.url("/")), stop)) ++answers;
            });
        }
        while (answers < 20) std::this_thread::sleep_for(1ms);
        s.request_stop();
        EXPECT_TRUE(s.ended_within(15s));
    }
}

TEST(make_server, serves_several_addresses)
{
    auto options = test_options();
    options.listen = {{"127.0.0.1", 0}, {"::1", 0}, {"127.0.0.2", 0}};
    function_handler h{hello};
    memory_log log;
    auto s = make_server(options, h, log);
    ASSERT_TRUE(s.has_value());
    const auto bound = (*s)->addresses();
    ASSERT_EQ(bound.size(), 3U);
    std::jthread thread{[&](std::stop_token stop) { (*s)->run(std::move(stop)); }};
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(bound[i].host, options.listen[i].host);
        const auto host = i == 1 ? "[::1]" : bound[i].host;
        EXPECT_EQ(exchange_with(*make_client({}), get("http://" + host + ":" + std::to_string(bound[i].port))).body,
                  "hello");
    }
}

TEST(make_server, names_a_port_that_is_taken)
{
    running_server first{hello};
    auto options = test_options();
    options.listen = {{"127.0.0.1", first.port()}};
    function_handler h{hello};
    memory_log log;
    const auto second = make_server(options, h, log);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, base::fault_code::conflict);
    EXPECT_EQ(second.error().message,
              "cannot listen on 127.0.0.1:" + std::to_string(first.port()) + ": the port is taken");
    EXPECT_FALSE(second.error().remedy.empty());
}

TEST(make_server, may_take_a_port_again_right_after_a_stop)
{
    auto options = test_options();
    {
        running_server first{hello};
        options.listen = {{"127.0.0.1", first.port()}};
        raw_connection c{first.port()};
        ASSERT_TRUE(c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        EXPECT_EQ(c.receive().status, 200);
        first.request_stop();
        ASSERT_TRUE(first.ended_within(10s));
    }
    running_server second{hello, options};
    EXPECT_EQ(exchange_with(*make_client({}), get(second.url("/"))).status, 200);
}

TEST(make_server, refuses_addresses_that_are_not_of_this_machine)
{
    function_handler h{hello};
    memory_log log;
    for (const char* host : {"192.0.2.1", "localhost", ""}) {
        auto options = test_options();
        options.listen = {{host, 0}};
        const auto s = make_server(options, h, log);
        ASSERT_FALSE(s.has_value()) << host;
        EXPECT_NE(s.error().message.find("cannot listen on"), std::string::npos);
        EXPECT_FALSE(s.error().remedy.empty());
    }
}

} // namespace
} // namespace xentz::http::testing
