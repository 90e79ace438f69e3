// The client against servers that behave in other ways than ours.
#include "contract/http/support.hpp"

#include <cstdlib>

namespace xentz::http::testing {
namespace {

std::string local(std::uint16_t port, const std::string& rest = "/", const std::string& host = "127.0.0.1")
{
    return "http://" + host + ":" + std::to_string(port) + rest;
}

const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

base::fault fault_of(client& c, const client_request& r, std::stop_token stop = {})
{
    auto answer = c.send(r, std::move(stop));
    EXPECT_FALSE(answer.has_value()) << answer->status;
    return answer ? base::fault{} : answer.error();
}

TEST(client, sends_what_it_was_given_and_nothing_else)
{
    canned_server s{fine};
    auto request = post(local(s.port(), "/a/../b%2f?q=1"), std::string(3000, 'x'));
    request.headers = {{"Authorization", "Bearer t"}, {"X-Empty", ""}, {"Content-Type", "application/json"}};
    EXPECT_EQ(exchange_with(*make_client({.user_agent = "xentz-test/1"}), request).body, "ok");
    const auto head = s.heads();
    EXPECT_TRUE(head.starts_with("POST /a/../b%2f?q=1 HTTP/1.1\r\n")) << head;
    EXPECT_NE(head.find("\r\nAuthorization: Bearer t\r\n"), std::string::npos);
    EXPECT_NE(head.find("\r\nX-Empty:\r\n"), std::string::npos);
    EXPECT_NE(head.find("\r\nContent-Length: 3000\r\n"), std::string::npos);
    EXPECT_NE(head.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
    EXPECT_NE(head.find("\r\nUser-Agent: xentz-test/1\r\n"), std::string::npos);
    EXPECT_EQ(head.find("Expect"), std::string::npos);
}

TEST(client, knows_the_methods)
{
    canned_server s{fine};
    const auto c = make_client({});
    for (const std::string method : {"GET", "HEAD", "POST", "DELETE", "PUT"}) {
        auto request = get(local(s.port()));
        request.method = method;
        EXPECT_EQ(exchange_with(*c, request).status, 200);
        EXPECT_NE(s.heads().find(method + " / HTTP/1.1\r\n"), std::string::npos);
    }
    auto with_body = post(local(s.port()), "abc");
    with_body.method = "DELETE";
    EXPECT_EQ(exchange_with(*c, with_body).status, 200);
    EXPECT_NE(s.heads().rfind("DELETE / HTTP/1.1"), std::string::npos);
    EXPECT_NE(s.heads().find("Content-Length: 3"), std::string::npos);
}

TEST(client, sends_basic_credentials_at_once)
{
    running_server s{[](const request_head& head) -> admission {
        const auto c = basic_auth(head);
        return text_response(c ? c->user + "|" + c->password : "none");
    }};
    auto request = get(s.url("/"));
    request.basic = basic_credentials{"dev_1", "p:w @"};
    EXPECT_EQ(exchange_with(*make_client({}), request).body, "dev_1|p:w @");
}

TEST(client, hands_a_redirect_over_as_it_is)
{
    canned_server elsewhere{fine};
    canned_server s{"HTTP/1.1 302 Found\r\nLocation: " + local(elsewhere.port()) + "\r\nContent-Length: 0\r\n\r\n"};
    const auto answer = exchange_with(*make_client({}), get(local(s.port())));
    EXPECT_EQ(answer.status, 302);
    EXPECT_EQ(*answer.find("location"), local(elsewhere.port()));
    EXPECT_EQ(elsewhere.connections(), 0U);
}

TEST(client, reads_the_final_headers_only)
{
    canned_server s{"HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 503 No\r\nX-Final:  a b \r\n"
                    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"};
    const auto answer = exchange_with(*make_client({}), get(local(s.port())));
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, "abc");
    EXPECT_EQ(answer.find("X-Interim"), nullptr);
    EXPECT_EQ(*answer.find("x-final"), "a b");
}

TEST(client, takes_no_more_than_its_limit)
{
    canned_server s{fine};
    EXPECT_EQ(exchange_with(*make_client({.most_body_bytes = 2}), get(local(s.port()))).body, "ok");
    EXPECT_EQ(fault_of(*make_client({.most_body_bytes = 1}), get(local(s.port()))).code,
              base::fault_code::protocol_error);
    std::string many = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 5000; ++i) many += "X-Header: " + std::string(100, 'x') + "\r\n";
    canned_server headers{many + "\r\n"};
    EXPECT_EQ(fault_of(*make_client({}), get(local(headers.port()))).code, base::fault_code::protocol_error);
}

TEST(client, names_a_server_that_cannot_be_reached)
{
    std::uint16_t port = 0;
    {
        const canned_server gone{fine};
        port = gone.port();
    }
    const auto f = fault_of(*make_client({}), get(local(port, "/secret?token=secret")));
    EXPECT_EQ(f.code, base::fault_code::network_unreachable);
    EXPECT_EQ(f.message, "cannot reach 127.0.0.1:" + std::to_string(port) + ": connection refused");
    EXPECT_FALSE(f.remedy.empty());
}

TEST(client, tells_other_failures_apart)
{
    const auto c = make_client({});
    canned_server other{"220 mail.example.com ESMTP\r\n"};
    EXPECT_EQ(fault_of(*c, get(local(other.port()))).code, base::fault_code::protocol_error);
    canned_server cut{"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"};
    EXPECT_EQ(fault_of(*c, get(local(cut.port()))).code, base::fault_code::network_unreachable);
    const auto unknown = fault_of(*c, get("https://name.invalid/secret"));
    EXPECT_EQ(unknown.code, base::fault_code::network_unreachable);
    EXPECT_NE(unknown.message.find("name.invalid:443"), std::string::npos);
    EXPECT_EQ(unknown.message.find("secret"), std::string::npos);
}

TEST(client, gives_up_after_its_time)
{
    canned_server s{fine, true};
    const auto f = fault_of(*make_client({.total_timeout = 200ms}), get(local(s.port())));
    EXPECT_EQ(f.code, base::fault_code::network_timeout);
    EXPECT_NE(f.message.find("127.0.0.1:" + std::to_string(s.port()) + " within 200 ms"), std::string::npos)
        << f.message;
}

TEST(client, is_interrupted_by_its_stop_token)
{
    canned_server s{fine, true};
    const auto c = make_client({});
    std::stop_source stop;
    std::jthread stopper{[&] {
        EXPECT_TRUE(s.wait_for_connection());
        stop.request_stop();
    }};
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(fault_of(*c, get(local(s.port())), stop.get_token()).code, base::fault_code::interrupted);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
    canned_server untouched{fine};
    EXPECT_EQ(fault_of(*c, get(local(untouched.port())), stop.get_token()).code, base::fault_code::interrupted);
    EXPECT_EQ(untouched.connections(), 0U);
}

TEST(client, sends_nothing_over_plain_http_to_another_machine)
{
    canned_server s{fine};
    const auto c = make_client({});
    for (const auto& url :
         {local(s.port(), "/", "localhost"), std::string{"http://192.0.2.1/"}, std::string{"http://[2001:db8::1]/"}}) {
        const auto f = fault_of(*c, get(url));
        EXPECT_EQ(f.code, base::fault_code::insecure_transport) << url;
        EXPECT_NE(f.remedy.find("--allow-http"), std::string::npos);
    }
    EXPECT_EQ(s.connections(), 0U);
    EXPECT_EQ(exchange_with(*make_client({.allow_http = true}), get(local(s.port(), "/", "localhost"))).body, "ok");
}

TEST(client, refuses_what_cannot_be_a_request)
{
    canned_server s{fine};
    const auto c = make_client({});
    auto injected = get(local(s.port()));
    injected.headers.push_back({"X-A", "b\r\nX-C: secret"});
    for (const auto& request : {injected, get("file:///etc/secret"), get("secret"),
                                get("http://user:secret@127.0.0.1:" + std::to_string(s.port()))}) {
        const auto f = fault_of(*c, request);
        EXPECT_EQ(f.code, base::fault_code::invalid_value);
        EXPECT_EQ(sentence(f).find("secret"), std::string::npos);
    }
    EXPECT_EQ(s.connections(), 0U);
}

TEST(client, uses_no_proxy_for_loopback)
{
    canned_server proxy{"HTTP/1.1 502 Proxy\r\nContent-Length: 0\r\n\r\n"};
    canned_server s{fine};
    ASSERT_EQ(::setenv("http_proxy", local(proxy.port()).c_str(), 1), 0);
    const auto direct = exchange_with(*make_client({}), get(local(s.port())));
    const auto elsewhere = exchange_with(*make_client({.allow_http = true}), get("http://192.0.2.1/"));
    ::unsetenv("http_proxy");
    EXPECT_EQ(direct.body, "ok");
    EXPECT_EQ(elsewhere.status, 502);
}

TEST(client, may_be_used_from_several_threads)
{
    running_server s{[](const request_head& head) -> admission { return text_response(head.path); }};
    const auto c = make_client({});
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 25; ++i) {
                const auto path = "/" + std::to_string(t) + "/" + std::to_string(i);
                EXPECT_EQ(exchange_with(*c, get(s.url(path))).body, path);
            }
        });
    }
}

} // namespace
} // namespace xentz::http::testing
