#include "http/observed_handler.hpp"

#include "fakes/fake_clock.hpp"
#include "fakes/fake_random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <stdexcept>

namespace xentz::http {
namespace {

using std::chrono::milliseconds;

struct text_source final : body_source {
    explicit text_source(std::string t) : text(std::move(t)) {}
    base::result<std::size_t> read(std::span<char> out) override
    {
        const auto n = text.copy(out.data(), out.size());
        text.erase(0, n);
        return n;
    }
    std::string text;
};

struct waste final : body_sink {
    base::result<> write(std::span<const char> bytes) override
    {
        if (bytes.front() == '!') return base::fail(base::fault_code::disk_full, "full");
        return {};
    }
    response refusal() override { return {.status = 507}; }
    response finish() override { return {.status = 200}; }
};

// Answers as the test says.
struct scripted final : handler {
    std::function<admission(const request_head&)> answer = [](const request_head&) { return response{}; };
    std::string seen_id;
    admission begin(const request_head& head) override
    {
        seen_id = head.request_id;
        return answer(head);
    }
};

struct observed : testing::Test {
    fakes::fake_clock clock;
    fakes::fake_random random;
    scripted inner;
    std::vector<finished_request> told;
    observed_handler handler{inner, clock, random, [this](const finished_request& r) { told.push_back(r); }};
    request_head head{.method = "GET", .path = "/repo/x", .query = "secret=1", .remote_address = "192.0.2.1"};

    std::string id_of(const response& r) const
    {
        const auto* id = find_header(r.headers, "x-request-id");
        return id == nullptr ? "" : *id;
    }
    response answered() { return std::get<response>(handler.begin(head)); }
};

TEST_F(observed, tells_of_a_request_that_is_answered_at_once)
{
    inner.answer = [this](const request_head&) {
        clock.advance(milliseconds{3});
        return json_response(404, "four");
    };
    const auto id = id_of(answered());
    EXPECT_TRUE(is_request_id(id));
    EXPECT_EQ(inner.seen_id, id);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].id, id);
    EXPECT_EQ(told[0].method, "GET");
    EXPECT_EQ(told[0].path, "/repo/x");
    EXPECT_EQ(told[0].status, 404);
    EXPECT_EQ(told[0].bytes_out, 4U);
    EXPECT_EQ(told[0].duration, milliseconds{3});
    EXPECT_FALSE(told[0].broken_off);
}

TEST_F(observed, ids_differ_and_are_taken_from_the_own_machine_only)
{
    EXPECT_NE(id_of(answered()), id_of(answered()));
    head.headers = {{"x-request-id", "from-a.proxy_1"}};
    EXPECT_NE(id_of(answered()), "from-a.proxy_1");
    for (const auto* here : {"127.0.0.1", "::1"}) {
        head.remote_address = here;
        EXPECT_EQ(id_of(answered()), "from-a.proxy_1");
    }
    for (const auto& odd : {std::string{}, std::string(65, 'a'), std::string{"a b"}, std::string{"a\"b"}}) {
        head.headers = {{"X-Request-Id", odd}};
        EXPECT_NE(id_of(answered()), odd);
        EXPECT_TRUE(is_request_id(inner.seen_id));
    }
}

TEST_F(observed, counts_a_body_while_it_is_sent)
{
    inner.answer = [](const request_head&) {
        response r;
        r.body = std::make_unique<text_source>("0123456789");
        r.content_length = 10;
        return r;
    };
    std::array<char, 6> room{};
    {
        auto r = answered();
        EXPECT_TRUE(told.empty());
        auto& source = std::get<std::unique_ptr<body_source>>(r.body);
        ASSERT_EQ(source->read(room).value(), 6U);
        ASSERT_EQ(source->read(room).value(), 4U);
        clock.advance(milliseconds{5});
    }
    {
        auto cut = answered();
        ASSERT_EQ(std::get<std::unique_ptr<body_source>>(cut.body)->read(room).value(), 6U);
    }
    head.method = "HEAD";
    answered();
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[0].bytes_out, 10U);
    EXPECT_EQ(told[0].duration, milliseconds{5});
    EXPECT_FALSE(told[0].broken_off);
    EXPECT_EQ(told[1].bytes_out, 6U);
    EXPECT_TRUE(told[1].broken_off);
    EXPECT_EQ(told[2].bytes_out, 0U);
    EXPECT_FALSE(told[2].broken_off);
}

TEST_F(observed, a_body_without_a_length_is_whole_at_its_end)
{
    inner.answer = [](const request_head&) {
        response r;
        r.body = std::make_unique<text_source>("abc");
        return r;
    };
    std::array<char, 6> room{};
    for (const int reads : {1, 2}) {
        auto r = answered();
        for (int i = 0; i < reads; ++i) ASSERT_TRUE(std::get<std::unique_ptr<body_source>>(r.body)->read(room));
    }
    EXPECT_TRUE(told[0].broken_off);
    EXPECT_FALSE(told[1].broken_off);
}

TEST_F(observed, follows_an_upload_to_its_end)
{
    inner.answer = [](const request_head&) { return upload{100, std::make_unique<waste>()}; };
    const auto begun = [this] { return std::move(std::get<upload>(handler.begin(head)).sink); };
    {
        auto whole = begun();
        ASSERT_TRUE(whole->write(std::span{"abc", 3}));
        EXPECT_TRUE(told.empty());
        EXPECT_EQ(id_of(whole->finish()), inner.seen_id);
    }
    {
        auto refused = begun();
        ASSERT_FALSE(refused->write(std::span{"!", 1}));
        EXPECT_EQ(id_of(refused->refusal()), inner.seen_id);
    }
    begun(); // and gone
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[0].status, 200);
    EXPECT_EQ(told[0].bytes_in, 3U);
    EXPECT_FALSE(told[0].broken_off);
    EXPECT_EQ(told[1].status, 507);
    EXPECT_TRUE(told[1].broken_off);
    EXPECT_EQ(told[2].status, 0);
    EXPECT_TRUE(told[2].broken_off);
}

TEST_F(observed, follows_a_small_body)
{
    inner.answer = [](const request_head&) {
        return collect{100, [](const request& r) { return json_response(200, r.body + r.body); }};
    };
    {
        auto c = std::get<collect>(handler.begin(head));
        EXPECT_EQ(id_of(c.then({head, "ab"})), inner.seen_id);
    }
    static_cast<void>(handler.begin(head)); // the client has gone
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].bytes_in, 2U);
    EXPECT_EQ(told[0].bytes_out, 4U);
    EXPECT_FALSE(told[0].broken_off);
    EXPECT_EQ(told[1].status, 0);
    EXPECT_TRUE(told[1].broken_off);
}

TEST_F(observed, tells_of_a_handler_that_throws)
{
    inner.answer = [](const request_head&) -> admission { throw std::runtime_error{"no"}; };
    EXPECT_THROW(handler.begin(head), std::runtime_error);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].status, 500);
}

TEST_F(observed, names_the_user_unless_he_was_refused)
{
    head.headers = {{"Authorization", "Basic ZGV2XzE6c2VjcmV0"}}; // dev_1:secret
    answered();
    inner.answer = [](const request_head&) { return response{.status = 401}; };
    answered();
    EXPECT_EQ(told[0].user, "dev_1");
    EXPECT_EQ(told[1].user, "");
}

TEST(to_log_line, has_one_field_for_each_fact_and_never_breaks)
{
    finished_request r{.id = "4f0c",
                       .method = "POST",
                       .path = "/repo/t/d/u/data/00",
                       .remote_address = "::1",
                       .user = "dev_1",
                       .status = 200,
                       .bytes_in = 5,
                       .bytes_out = 0,
                       .duration = std::chrono::microseconds{12'034}};
    EXPECT_EQ(to_log_line(r), "request id=4f0c remote=::1 method=POST path=/repo/t/d/u/data/00 user=dev_1 status=200 "
                              "in=5 out=0 ms=12.034");
    r.path = "/a \"b\\\n\xff=c";
    r.user.clear();
    r.broken_off = true;
    EXPECT_EQ(to_log_line(r), "request id=4f0c remote=::1 method=POST path=\"/a \\\"b\\\\\\x0a\\xff=c\" user=\"\" "
                              "status=200 in=5 out=0 ms=12.034 broken-off");
}

} // namespace
} // namespace xentz::http
