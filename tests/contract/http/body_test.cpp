// Bodies on their way to the server: uploads, collected bodies, and those nobody wants.
#include "contract/http/support.hpp"

namespace xentz::http::testing {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20U;

std::string post_head(std::uint64_t length, const std::string& more = {})
{
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n" + more + "\r\n";
}

const std::string chunked_head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& bytes)
{
    std::string digits;
    for (auto size = bytes.size(); size > 0; size /= 16) digits.insert(0, 1, "0123456789abcdef"[size % 16]);
    return (digits.empty() ? "0" : digits) + "\r\n" + bytes + "\r\n";
}

admission upload_to(sink_record& record, std::uint64_t most = 100 * mebibyte, sink_script script = {})
{
    return upload{most, make_sink(record, std::move(script))};
}

std::string type_of(const raw_response& r)
{
    const auto p = parse_problem(r.body);
    return p ? p->type : "no problem but: " + r.body;
}

TEST(upload_of_a_body, arrives_whole_in_small_pieces)
{
    sink_record record;
    running_server s{[&](const request_head&) { return upload_to(record); }};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send(post_head(64 * mebibyte)));
    for (std::uint64_t at = 0; at < 64 * mebibyte; at += mebibyte) ASSERT_TRUE(c.send(pattern_text(at, mebibyte)));
    const auto answer = c.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "stored " + std::to_string(64 * mebibyte));
    EXPECT_TRUE(record.state.wait([&] { return record.destroyed.load(); }));
    EXPECT_TRUE(record.correct);
    EXPECT_TRUE(record.finished);
    EXPECT_LE(record.largest_piece, 256U * 1024U);
    // The connection is as good as before.
    ASSERT_TRUE(c.send(post_head(0)));
    EXPECT_EQ(c.receive().status, 200);
}

TEST(upload_of_a_body, is_held_back_while_the_sink_is_busy)
{
    sink_record record;
    gate g;
    running_server s{[&](const request_head&) {
        return upload_to(record, 100 * mebibyte, {.on_write = [&](std::uint64_t) -> base::result<> {
                             g.pass();
                             return {};
                         }});
    }};
    raw_connection c{s.port()};
    const auto body = pattern_text(0, 64 * mebibyte);
    ASSERT_TRUE(c.send(post_head(body.size())));
    // What the buffers of the system hold, and no more: the server does not collect what its sink cannot take.
    const auto sent = c.send_what_fits(body, 500ms);
    EXPECT_LT(sent, 24 * mebibyte);
    g.open();
    ASSERT_TRUE(c.send(std::string_view{body}.substr(sent)));
    EXPECT_EQ(c.receive().status, 200);
    EXPECT_TRUE(record.correct);
}

TEST(upload_of_a_body, may_be_chunked)
{
    sink_record record;
    running_server s{[&](const request_head& head) {
        EXPECT_TRUE(head.chunked);
        EXPECT_FALSE(head.content_length.has_value());
        return upload_to(record, 3 * mebibyte);
    }};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send(chunked_head));
    std::uint64_t at = 0;
    for (const std::size_t size : {1U, 15U, 16U, 70000U, 1000000U, 262144U, 1U}) {
        ASSERT_TRUE(c.send(chunk(pattern_text(at, size))));
        at += size;
    }
    ASSERT_TRUE(c.send(chunk("")));
    EXPECT_EQ(c.receive().body, "stored " + std::to_string(at));
    EXPECT_TRUE(record.correct);
}

TEST(upload_of_a_body, leaves_no_trace_when_the_client_vanishes)
{
    for (const bool chunked : {false, true}) {
        sink_record record;
        running_server s{[&](const request_head&) { return upload_to(record); }};
        raw_connection c{s.port()};
        ASSERT_TRUE(c.send(chunked ? chunked_head : post_head(10 * mebibyte)));
        const auto part = pattern_text(0, mebibyte);
        ASSERT_TRUE(c.send(chunked ? chunk(part) : part));
        ASSERT_TRUE(record.state.wait([&] { return record.bytes >= 3 * mebibyte / 4; }));
        c.close();
        EXPECT_TRUE(record.state.wait([&] { return record.destroyed.load(); }));
        EXPECT_FALSE(record.finished);
    }
}

TEST(upload_of_a_body, ends_when_the_client_stalls)
{
    auto options = test_options();
    options.body_timeout = 200ms;
    sink_record record;
    running_server s{[&](const request_head&) { return upload_to(record); }, options};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send(post_head(10 * mebibyte) + pattern_text(0, 1000)));
    EXPECT_TRUE(c.closed_within(10s));
    EXPECT_TRUE(record.state.wait([&] { return record.destroyed.load(); }));
    EXPECT_FALSE(record.finished);
}

TEST(upload_of_a_body, may_take_longer_than_the_time_limit_while_it_moves)
{
    auto options = test_options();
    options.body_timeout = 500ms;
    sink_record record;
    running_server s{[&](const request_head&) { return upload_to(record); }, options};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send(post_head(1000)));
    for (std::uint64_t at = 0; at < 1000; at += 100) {
        std::this_thread::sleep_for(100ms);
        ASSERT_TRUE(c.send(pattern_text(at, 100)));
    }
    EXPECT_EQ(c.receive().body, "stored 1000");
}

TEST(upload_of_a_body, is_refused_by_the_sink_in_its_middle)
{
    sink_record record;
    running_server s{[&](const request_head&) {
        return upload_to(record, 100 * mebibyte, {.on_write = [](std::uint64_t before) -> base::result<> {
                             if (before < mebibyte) return {};
                             return base::fail(base::fault_code::disk_full, "no room");
                         }});
    }};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send(post_head(16 * mebibyte)));
    // A client that sends everything before it looks for an answer still gets it.
    ASSERT_TRUE(c.send(pattern_text(0, 16 * mebibyte)));
    const auto answer = c.receive();
    EXPECT_EQ(answer.status, 507);
    EXPECT_EQ(type_of(answer), "repository-full");
    EXPECT_EQ(answer.find("Connection"), "close");
    EXPECT_TRUE(c.closed_within(10s));
    EXPECT_TRUE(record.destroyed);
    EXPECT_FALSE(record.finished);
    EXPECT_LE(record.bytes, 2 * mebibyte);
}

TEST(upload_of_a_body, is_refused_when_the_sink_throws)
{
    for (const bool at_finish : {false, true}) {
        sink_record record;
        running_server s{[&](const request_head&) {
            sink_script script;
            if (at_finish) {
                script.on_finish = [] { throw std::runtime_error{"finish broke"}; };
            } else {
                script.on_write = [](std::uint64_t) -> base::result<> { throw std::runtime_error{"write broke"}; };
            }
            return upload_to(record, mebibyte, std::move(script));
        }};
        raw_connection c{s.port()};
        ASSERT_TRUE(c.send(post_head(1000) + pattern_text(0, 1000)));
        const auto answer = c.receive();
        EXPECT_EQ(answer.status, 500);
        EXPECT_EQ(type_of(answer), "internal");
        EXPECT_TRUE(s.log().contains(at_finish ? "finish broke" : "write broke"));
        EXPECT_TRUE(record.destroyed);
        EXPECT_FALSE(record.finished);
    }
}

TEST(upload_of_a_body, has_a_limit)
{
    for (const bool chunked : {false, true}) {
        sink_record record;
        running_server s{[&](const request_head&) { return upload_to(record, 100000); }};
        raw_connection fits{s.port()};
        ASSERT_TRUE(fits.send(chunked ? chunked_head + chunk(pattern_text(0, 100000)) + chunk("")
                                      : post_head(100000) + pattern_text(0, 100000)));
        EXPECT_EQ(fits.receive().body, "stored 100000");

        raw_connection too_long{s.port()};
        const auto body = pattern_text(0, 100001);
        record.state.change([&] {
            record.bytes = 0;
            record.finished = false;
            record.destroyed = false;
        });
        ASSERT_TRUE(too_long.send(chunked ? chunked_head + chunk(body.substr(0, 60000)) + chunk(body.substr(60000))
                                          : post_head(100001) + body));
        const auto answer = too_long.receive();
        EXPECT_EQ(answer.status, 413);
        EXPECT_EQ(type_of(answer), "body-too-large");
        EXPECT_EQ(answer.find("Connection"), "close");
        EXPECT_TRUE(record.destroyed);
        EXPECT_FALSE(record.finished);
        if (!chunked) {
            EXPECT_EQ(record.bytes, 0U);
        }
    }
}

TEST(collected_body, has_a_limit)
{
    running_server s{[](const request_head&) -> admission {
        return collect{20000, [](const request& r) { return text_response(std::to_string(r.body.size())); }};
    }};
    raw_connection fits{s.port()};
    ASSERT_TRUE(fits.send(post_head(20000) + std::string(20000, 'x')));
    EXPECT_EQ(fits.receive().body, "20000");
    ASSERT_TRUE(fits.send(chunked_head + chunk(std::string(19999, 'x')) + chunk("y") + chunk("")));
    EXPECT_EQ(fits.receive().body, "20000");
    for (const auto& request :
         {post_head(20001), post_head(20001) + std::string(20001, 'x'), chunked_head + chunk(std::string(20001, 'x')),
          chunked_head + chunk(std::string(20000, 'x')) + chunk("y") + chunk("")}) {
        raw_connection too_long{s.port()};
        ASSERT_TRUE(too_long.send(request));
        const auto answer = too_long.receive();
        EXPECT_EQ(answer.status, 413);
        EXPECT_EQ(type_of(answer), "body-too-large");
        EXPECT_EQ(answer.find("Connection"), "close");
    }
}

TEST(collected_body, is_refused_where_its_chunks_are_malformed)
{
    running_server s{[](const request_head&) -> admission {
        return collect{20000, [](const request& r) { return text_response(r.body); }};
    }};
    for (const std::string body : {"zz\r\n", "3\r\nabcdef\r\n0\r\n\r\n", "-1\r\na\r\n", "ffffffffffffffffff\r\n"}) {
        raw_connection c{s.port()};
        ASSERT_TRUE(c.send(chunked_head + body));
        const auto answer = c.receive();
        EXPECT_TRUE(answer.status == 400 || answer.status == 413) << body;
        EXPECT_EQ(answer.find("Connection"), "close");
    }
    raw_connection endless{s.port()};
    endless.send(chunked_head + "1;" + std::string(200000, 'x'));
    EXPECT_EQ(endless.receive().status, 400);
}

TEST(unread_body, does_not_hide_the_answer)
{
    running_server s{[](const request_head& head) -> admission {
        EXPECT_EQ(head.content_length, 8 * mebibyte);
        return to_response({403, "device-revoked", "revoked", "ask"});
    }};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send(post_head(8 * mebibyte)));
    ASSERT_TRUE(c.send(pattern_text(0, 8 * mebibyte)));
    const auto answer = c.receive();
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(type_of(answer), "device-revoked");
    EXPECT_EQ(answer.find("Connection"), "close");
    EXPECT_TRUE(c.closed_within(10s));
    EXPECT_EQ(exchange_with(*make_client({}), post(s.url("/"), pattern_text(0, 8 * mebibyte))).status, 403);
}

TEST(unread_body, cannot_hold_a_connection_for_ever)
{
    auto options = test_options();
    options.body_timeout = 200ms;
    running_server s{[](const request_head&) -> admission { return text_response("no", 403); }, options};
    raw_connection c{s.port()};
    ASSERT_TRUE(c.send(post_head(8 * mebibyte) + "some"));
    EXPECT_EQ(c.receive().status, 403);
    EXPECT_TRUE(c.closed_within(10s));
    // The other side is closed as well: what is sent now meets nobody.
    bool gone = false;
    for (int i = 0; i < 200 && !gone; ++i) {
        gone = !c.send("more");
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_TRUE(gone);
}

TEST(expect_continue, is_answered_when_the_body_is_wanted)
{
    sink_record record;
    running_server s{[&](const request_head& head) -> admission {
        if (head.query == "upload") return upload_to(record);
        if (head.query == "collect") return collect{100, [](const request& r) { return text_response(r.body); }};
        return text_response("no", 403);
    }};
    const std::string rest = " HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: ";
    for (const std::string query : {"upload", "collect"}) {
        raw_connection c{s.port()};
        ASSERT_TRUE(c.send("POST /?" + query + rest + "5\r\n\r\n"));
        EXPECT_EQ(c.receive().status, 100);
        ASSERT_TRUE(c.send(pattern_text(0, 5)));
        EXPECT_EQ(c.receive().status, 200);
    }
    raw_connection refused{s.port()};
    ASSERT_TRUE(refused.send("POST /" + rest + "5\r\n\r\n"));
    EXPECT_EQ(refused.receive().status, 403);
    raw_connection too_long{s.port()};
    ASSERT_TRUE(too_long.send("POST /?collect" + rest + "101\r\n\r\n"));
    EXPECT_EQ(too_long.receive().status, 413);
    raw_connection empty{s.port()};
    ASSERT_TRUE(empty.send("POST /?collect" + rest + "0\r\n\r\n"));
    EXPECT_EQ(empty.receive().status, 200);
}

} // namespace
} // namespace xentz::http::testing
