// What the server does to clients that are slow, silent, many or malformed.
#include "contract/http/support.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <set>

namespace xentz::http::testing {
namespace {

admission hello(const request_head&) { return text_response("hello"); }

std::string type_of(const raw_response& r)
{
    const auto p = parse_problem(r.body);
    return p ? p->type : "no problem but: " + r.body;
}

TEST(malformed_request, is_answered_400_and_the_connection_closed)
{
    running_server s{[](const request_head& head) -> admission {
        ADD_FAILURE() << "reached the handler: " << head.path;
        return text_response("hello");
    }};
    for (const std::string request : {
             "GET / HTTP/1.1\r\n\r\n",                       // no host
             "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", // two
             "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
             "GET / HTTP/1.1\nHost: a\n\n",
             "nonsense\r\n\r\n",
             "\x16\x03\x01\x02\r\n",
             "GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
             "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc",
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc",
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabc",
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         }) {
        raw_connection c{s.port()};
        ASSERT_TRUE(c.send(request));
        const auto answer = c.receive();
        EXPECT_EQ(answer.status, 400) << request;
        EXPECT_EQ(type_of(answer), "bad-request") << request;
        EXPECT_EQ(answer.find("Connection"), "close") << request;
        EXPECT_TRUE(c.closed_within(10s)) << request;
    }
}

TEST(headers, may_have_so_many_bytes)
{
    auto options = test_options();
    options.most_header_bytes = 4000;
    running_server s{hello, options};
    const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send(start + std::string(4000 - start.size() - 4, 'x') + "\r\n\r\n"));
    EXPECT_EQ(c.receive().status, 200);
    for (const auto& request : {start + std::string(4001 - start.size() - 4, 'x') + "\r\n\r\n",
                                start + std::string(100000, 'x'), "GET /" + std::string(5000, 'x')}) {
        raw_connection over{s.port()};
        ASSERT_TRUE(over.send(request));
        const auto answer = over.receive();
        EXPECT_EQ(answer.status, 431);
        EXPECT_EQ(type_of(answer), "header-too-large");
        EXPECT_TRUE(over.closed_within(10s));
    }
}

TEST(headers, are_counted_together_when_each_comes_alone)
{
    auto options = test_options();
    options.most_header_bytes = 4000;
    running_server s{hello, options};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send("GET / HTTP/1.1\r\nHost: h\r\n"));
    // Paused, so that each line reaches the server by itself.
    for (int i = 0; i < 60 && c.send("X-Line: " + std::string(90, 'x') + "\r\n"); ++i) std::this_thread::sleep_for(2ms);
    EXPECT_EQ(c.receive().status, 431);
}

TEST(time_limits, close_an_idle_connection_without_a_word)
{
    auto options = test_options();
    options.idle_timeout = 200ms;
    running_server s{hello, options};
    raw_connection silent{s.port()};
    EXPECT_TRUE(silent.closed_within(10s));
    raw_connection used{s.port()};
    ASSERT_TRUE(used.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_EQ(used.receive().status, 200);
    EXPECT_TRUE(used.closed_within(10s));
}

TEST(time_limits, end_a_request_whose_headers_drip)
{
    auto options = test_options();
    options.header_timeout = 300ms;
    running_server s{hello, options};
    raw_connection c{s.port()};
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(c.send("GET / HTTP/1.1\r\n"));
    bool open = true;
    while (open && std::chrono::steady_clock::now() < start + 10s) {
        open = c.send("a") && !c.closed_within(20ms);
    }
    EXPECT_FALSE(open);
}

TEST(time_limits, end_an_answer_nobody_takes)
{
    auto options = test_options();
    options.body_timeout = 300ms;
    source_record record;
    running_server s{[&](const request_head&) -> admission {
                         response r;
                         r.body = make_source(record, std::uint64_t{1} << 40U);
                         return r;
                     },
                     options};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_TRUE(record.state.wait([&] { return record.destroyed.load(); }));
    EXPECT_LT(record.produced, std::uint64_t{64} << 20U) << "it must not be produced faster than it is taken";
}

TEST(slow_clients, hold_no_handler_up)
{
    auto options = test_options();
    options.handlers_at_once = 2;
    sink_record record;
    source_record produced;
    watched state;
    int begun = 0;
    running_server s{[&](const request_head& head) -> admission {
                         if (head.path == "/fast") return text_response("fast");
                         state.change([&] { ++begun; });
                         if (head.path == "/upload") return upload{1 << 20U, make_sink(record)};
                         if (head.path == "/collect")
                             return collect{1 << 20U, [](const request&) { return response{}; }};
                         response r;
                         r.body = make_source(produced, std::uint64_t{1} << 30U);
                         return r;
                     },
                     options};
    std::vector<std::unique_ptr<raw_connection>> slow;
    for (int i = 0; i < 60; ++i) {
        const std::string path = i % 3 == 0 ? "/upload" : i % 3 == 1 ? "/collect" : "/download";
        const std::string method = i % 3 == 2 ? "GET " : "POST ";
        const std::string body = i % 3 == 2 ? "\r\n" : "Content-Length: 1000000\r\n\r\nsome of it";
        slow.push_back(std::make_unique<raw_connection>(s.port()));
        ASSERT_TRUE(slow.back()->send(method + path + " HTTP/1.1\r\nHost: h\r\n" + body));
    }
    ASSERT_TRUE(state.wait([&] { return begun == 60; }));
    const auto answer = make_client({.total_timeout = 20s})->send(get(s.url("/fast")), {});
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->body, "fast");
    EXPECT_FALSE(record.destroyed) << "the slow ones are still there";
}

// Whose request is there before the server looks at the connection for the first time.
TEST(slow_clients, that_read_nothing_hold_no_handler_up)
{
    class endless final : public body_source {
    public:
        explicit endless(std::atomic<int>& begun) : begun_{begun} {}
        base::result<std::size_t> read(std::span<char> out) override
        {
            std::ranges::fill(out, 'x');
            return out.size();
        }
        base::result<std::optional<std::size_t>> send_to(int socket, std::uint64_t most) override
        {
            ++begun_;
            const auto n = ::send(socket, bytes_.data(), std::min<std::uint64_t>(most, bytes_.size()), MSG_NOSIGNAL);
            return n > 0 ? static_cast<std::size_t>(n) : 0U;
        }

    private:
        std::atomic<int>& begun_;
        const std::string& bytes_ = shared();

        static const std::string& shared()
        {
            static const std::string bytes(std::size_t{16} << 20U, 'x');
            return bytes;
        }
    };
    auto options = test_options();
    options.handlers_at_once = 1;
    std::atomic<int> begun = 0;
    function_handler handler{[&begun](const request_head& head) -> admission {
        if (head.path == "/fast") return text_response("fast");
        response r;
        r.body = std::make_unique<endless>(begun);
        r.content_length = std::uint64_t{1} << 40U;
        return r;
    }};
    memory_log log;
    const auto server = std::move(make_server(options, handler, log).value());
    const auto port = server->addresses().front().port;
    std::vector<std::unique_ptr<raw_connection>> slow;
    // So many that it takes too long where each keeps the turn for as long as nobody else wants it.
    for (int i = 0; i < 64; ++i) {
        slow.push_back(std::make_unique<raw_connection>(port));
        ASSERT_TRUE(slow.back()->send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n"));
    }
    std::jthread running{[&](std::stop_token stop) { server->run(std::move(stop)); }};
    // All have been asked for, and one at least is being sent.
    while (begun == 0) std::this_thread::yield();
    const auto url = "http://127.0.0.1:" + std::to_string(port) + "/fast";
    const auto answer = make_client({.total_timeout = 10s})->send(get(url), {});
    slow.clear();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->body, "fast");
}

TEST(idle_connections, hold_nothing_up)
{
    auto options = test_options();
    options.handlers_at_once = 2;
    running_server s{hello, options};
    std::vector<std::unique_ptr<raw_connection>> idle;
    for (int i = 0; i < 200; ++i) {
        idle.push_back(std::make_unique<raw_connection>(s.port()));
        if (i % 2 == 0) continue;
        ASSERT_TRUE(idle.back()->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        ASSERT_EQ(idle.back()->receive().status, 200);
    }
    const auto answer = make_client({.total_timeout = 5s})->send(get(s.url("/")), {});
    ASSERT_TRUE(answer.has_value());
    for (auto& c : idle) {
        ASSERT_TRUE(c->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        EXPECT_EQ(c->receive().body, "hello");
    }
}

// Not under the undefined behaviour sanitizer, which comes with the address sanitizer here: it needs descriptors itself
// to look at an object whose type it meets for the first time, and takes it for a broken one where there are none.
#if !defined(__SANITIZE_ADDRESS__)
TEST(descriptors, may_run_out_for_a_while)
{
    running_server s{hello};
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit few{std::min<rlim_t>(256, before.rlim_max), before.rlim_max};
    raw_connection c;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    std::vector<int> taken;
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);
    c.connect(s.port());
    const auto cpu_before = std::clock();
    bool told = false;
    for (int i = 0; i < 200 && !told; ++i) {
        std::this_thread::sleep_for(10ms);
        told = s.log().contains("cannot accept connections");
    }
    std::this_thread::sleep_for(300ms);
    const auto cpu = std::clock() - cpu_before;
    for (const int fd : taken) ::close(fd);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(told);
    EXPECT_LT(cpu, CLOCKS_PER_SEC / 10) << "it must not try again and again meanwhile";
    ASSERT_TRUE(c.connected());
    ASSERT_TRUE(c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_EQ(c.receive().body, "hello");
}
#endif

TEST(handlers, run_side_by_side)
{
    auto options = test_options();
    options.handlers_at_once = 3;
    watched state;
    std::set<std::thread::id> inside;
    gate g;
    running_server s{[&](const request_head& head) -> admission {
                         if (head.path == "/fast") return text_response("fast");
                         state.change([&] { inside.insert(std::this_thread::get_id()); });
                         g.pass();
                         return text_response("slow");
                     },
                     options};
    raw_connection first{s.port()};
    raw_connection second{s.port()};
    ASSERT_TRUE(first.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    ASSERT_TRUE(second.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    ASSERT_TRUE(state.wait([&] { return inside.size() == 2; }));
    EXPECT_EQ(exchange_with(*make_client({.total_timeout = 5s}), get(s.url("/fast"))).body, "fast");
    g.open();
    EXPECT_EQ(first.receive().body, "slow");
    EXPECT_EQ(second.receive().body, "slow");
}

// Those that find none free wait for one; what needs no handler is answered meanwhile.
TEST(handlers, are_no_more_at_once_than_allowed)
{
    auto options = test_options();
    options.handlers_at_once = 2;
    watched state;
    int inside = 0;
    int most = 0;
    int called = 0;
    gate g;
    running_server s{[&](const request_head& head) -> admission {
                         state.change([&] {
                             most = std::max(most, ++inside);
                             ++called;
                         });
                         g.pass();
                         state.change([&] { --inside; });
                         return text_response(head.path);
                     },
                     options};
    std::vector<std::unique_ptr<raw_connection>> all;
    const auto ask = [&](const std::string& path) {
        all.push_back(std::make_unique<raw_connection>(s.port()));
        return all.back()->send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    };
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(ask("/" + std::to_string(i)));
    ASSERT_TRUE(state.wait([&] { return inside == 2; }));
    raw_connection malformed{s.port()};
    ASSERT_TRUE(malformed.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
    EXPECT_EQ(malformed.receive().status, 400) << "the network waits for the handlers";
    g.open();
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i]->receive().body, "/" + std::to_string(i));
    EXPECT_EQ(most, 2);
    EXPECT_EQ(called, 8);
}

} // namespace
} // namespace xentz::http::testing
