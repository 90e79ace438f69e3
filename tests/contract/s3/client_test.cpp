// What the client makes of answers that no store gives on request: failures that pass and failures that stay, answers
// that break off, keys that are refused. What a real store says is in tests/contract/object_store.
#include "contract/s3/scripted_store.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_random.hpp"
#include "s3/client.hpp"

#include <gtest/gtest.h>

namespace xentz::s3 {
namespace {

using namespace std::chrono_literals;
using base::fault_code;
using testing::scripted_answer;

template <class T>
fault_code code(const base::result<T>& r)
{
    return r ? fault_code::internal : r.error().code;
}

// Has new keys after the old were refused.
class changing_keys final : public credential_source {
public:
    base::result<credentials> get() override { return of(number); }
    base::result<credentials> renewed() override { return of(number += has_more ? 1 : 0); }
    static credentials of(int n)
    {
        return {.access_key = "KEY" + std::to_string(n), .secret_key = "secret", .session_token = "token"};
    }
    int number = 1;
    bool has_more = true;
};

struct exchange : ::testing::Test {
    testing::scripted_store store;
    fakes::fake_clock clock;
    fakes::fake_random random;
    std::vector<std::chrono::milliseconds> pauses;
    changing_keys* keys = nullptr;
    std::unique_ptr<client> c = make();

    std::unique_ptr<client> make(client_options options = {})
    {
        auto source = std::make_unique<changing_keys>();
        keys = source.get();
        options.wait = [this](std::chrono::milliseconds time) {
            pauses.push_back(time);
            clock.advance(time);
        };
        auto a = parse_address("s3://backups/own?region=somewhere&endpoint=" + store.endpoint(),
                               [](const std::string&) { return std::nullopt; });
        return std::make_unique<client>(std::move(*a), std::move(source), clock, random, options);
    }
    void say(int status, std::string body = {}, std::vector<http::header> headers = {})
    {
        store.say({.status = status, .body = std::move(body), .headers = std::move(headers)});
    }
    static std::string error(const std::string& name) { return "<Error><Code>" + name + "</Code></Error>"; }
};

TEST_F(exchange, signs_each_request_and_says_what_its_body_is)
{
    say(200);
    ASSERT_TRUE(c->put("data/a", payload_of("hello"), when_present::refuse));
    const auto r = store.asked().at(0);
    EXPECT_EQ(r.head.method + " " + r.head.path, "PUT /backups/own/data/a");
    EXPECT_EQ(r.body, "hello");
    EXPECT_EQ(*r.head.find("x-amz-content-sha256"), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    EXPECT_EQ(*r.head.find("If-None-Match"), "*");
    EXPECT_EQ(*r.head.find("x-amz-security-token"), "token");
    const auto& signature = *r.head.find("Authorization");
    EXPECT_TRUE(signature.starts_with("AWS4-HMAC-SHA256 Credential=KEY1/")) << signature;
    EXPECT_TRUE(signature.contains("/somewhere/s3/aws4_request")) << signature;
    EXPECT_FALSE(signature.contains("secret"));
}

TEST_F(exchange, tries_again_what_may_pass_with_growing_pauses_and_the_same_bytes)
{
    for (const int status : {500, 503, 429, 409}) say(status);
    say(200);
    ASSERT_TRUE(c->put("data/a", payload_of("hello")));
    const auto all = store.asked();
    ASSERT_EQ(all.size(), 5U);
    for (const auto& r : all) EXPECT_EQ(r.body, "hello");
    ASSERT_EQ(pauses.size(), 4U);
    for (const auto i : {0U, 1U, 2U, 3U}) {
        EXPECT_GE(pauses[i], 100ms * (1U << i));
        EXPECT_LE(pauses[i], 200ms * (1U << i));
    }
}

TEST_F(exchange, gives_up_after_a_while)
{
    for (int i = 0; i < 20; ++i) say(503, error("SlowDown"));
    EXPECT_EQ(code(c->remove("a")), fault_code::server_failed);
    EXPECT_EQ(store.asked().size(), 5U);
    c = make({.attempts = 100, .first_pause = 10s, .longest_pause = 10s, .patience = 25s});
    EXPECT_EQ(code(c->remove("a")), fault_code::server_failed);
    EXPECT_LE(store.asked().size(), 5U + 6U);
}

TEST_F(exchange, does_not_try_again_what_stays)
{
    struct refusal {
        int status;
        std::string name;
        fault_code expected;
    };
    std::size_t requests = 0;
    keys->has_more = false;
    for (const auto& [status, name, expected] : {refusal{404, "NoSuchBucket", fault_code::repository_missing},
                                                 refusal{403, "AccessDenied", fault_code::repository_refused},
                                                 refusal{403, "RequestTimeTooSkewed", fault_code::clock_wrong},
                                                 refusal{301, "PermanentRedirect", fault_code::config_invalid},
                                                 refusal{507, "XMinioStorageFull", fault_code::disk_full},
                                                 refusal{400, "InvalidArgument", fault_code::server_refused},
                                                 refusal{412, "PreconditionFailed", fault_code::conflict}}) {
        say(status, error(name));
        EXPECT_EQ(code(c->put("a", payload_of("x"))), expected) << name;
        EXPECT_EQ(store.asked().size(), ++requests) << name;
    }
    EXPECT_TRUE(pauses.empty());
}

TEST_F(exchange, looks_for_other_keys_once_where_they_are_refused)
{
    say(403, error("ExpiredToken"));
    say(204);
    EXPECT_TRUE(c->remove("a"));
    EXPECT_TRUE(store.asked().at(1).head.find("Authorization")->contains("Credential=KEY2/"));
    say(403, error("InvalidAccessKeyId"));
    say(403, error("InvalidAccessKeyId"));
    EXPECT_EQ(code(c->remove("a")), fault_code::repository_refused);
    EXPECT_EQ(store.asked().size(), 4U);
    EXPECT_TRUE(pauses.empty());
}

TEST_F(exchange, a_copy_that_fails_after_200_has_failed)
{
    say(200, error("InternalError"));
    say(200, "");
    say(200, R"(<?xml version="1.0"?><CopyObjectResult><ETag>"x"</ETag></CopyObjectResult>)");
    ASSERT_TRUE(c->copy("data/a", "trash/a"));
    ASSERT_EQ(store.asked().size(), 3U);
    EXPECT_EQ(*store.asked()[0].head.find("x-amz-copy-source"), "/backups/own/data/a");
    EXPECT_EQ(store.asked()[0].head.path, "/backups/own/trash/a");
}

TEST_F(exchange, a_download_that_breaks_off_goes_on_from_there)
{
    std::string content(1'000'005, 'x');
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i % 23);
    const auto rest = [&](const http::request& r) {
        return content.substr(std::stoul(r.head.find("Range")->substr(6))); // behind "bytes="
    };
    store.say({.status = 206, .breaks_after = 600'000, .body_for = rest});
    say(503);
    store.say({.status = 206, .breaks_after = 300'000, .body_for = rest});
    store.say({.status = 206, .body_for = rest});
    const auto part = c->get_part("data/a", 5, content.size() - 5, "\"tag\"");
    std::string got;
    std::vector<char> piece(70'000);
    for (;;) {
        const auto n = part->read(piece);
        ASSERT_TRUE(n) << n.error().message;
        if (*n == 0) break;
        got.append(piece.data(), *n);
    }
    EXPECT_TRUE(got == content.substr(5));
    const auto all = store.asked();
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(*all[0].head.find("Range"), "bytes=5-1000004");
    // How much of what was sent before a connection broke came through is the network's business.
    EXPECT_NE(*all[3].head.find("Range"), *all[0].head.find("Range"));
    EXPECT_EQ(*all[3].head.find("If-Match"), "\"tag\"");
}

TEST_F(exchange, a_download_never_takes_another_version_or_another_part)
{
    say(412, error("PreconditionFailed"));
    std::vector<char> piece(100);
    EXPECT_EQ(code(c->get_part("a", 0, 10, "\"tag\"")->read(piece)), fault_code::conflict);
    say(200, "the whole object, whatever part was asked for");
    EXPECT_EQ(code(c->get_part("a", 4, 10, {})->read(piece)), fault_code::server_refused);
}

TEST_F(exchange, lists_by_pages_and_repeats_one_that_broke_off)
{
    const auto page =
        std::string{"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a/+=</"} +
        "NextContinuationToken><Contents><Key>own/data/1</Key><Size>3</Size></Contents></ListBucketResult>";
    store.say({.status = 200, .body = page, .breaks_after = 100});
    say(200, page.substr(0, 100));
    say(200, page);
    const auto first = c->list({.prefix = "data/", .by_folder = true}).value();
    EXPECT_EQ(first.objects.at(0).key, "data/1");
    EXPECT_EQ(first.next, "a/+=");
    EXPECT_EQ(store.asked().at(2).head.query, "delimiter=%2F&list-type=2&max-keys=1000&prefix=own%2Fdata%2F");
    say(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
    ASSERT_TRUE(c->list({.prefix = "data/", .after = first.next}));
    EXPECT_EQ(store.asked().at(3).head.query,
              "continuation-token=a%2F%2B%3D&list-type=2&max-keys=1000&prefix=own%2Fdata%2F");
}

TEST_F(exchange, head_needs_to_know_size_and_time)
{
    say(200, "", {{"Last-Modified", "Mon, 23 Nov 2026 18:31:05 GMT"}, {"ETag", "\"x\""}});
    const auto h = c->head("a").value();
    EXPECT_EQ(h.bytes, 0U);
    EXPECT_EQ(h.stored_at, clock.time);
    EXPECT_EQ(h.tag, "\"x\"");
    say(404);
    EXPECT_EQ(code(c->head("a")), fault_code::not_found);
}

TEST_F(exchange, a_small_object_has_a_limit)
{
    say(200, std::string(100, 'x'));
    EXPECT_EQ(code(c->get("a", 50)), fault_code::invalid_value);
    say(200, std::string(50, 'x'));
    EXPECT_EQ(c->get("a", 50)->size(), 50U);
}

TEST_F(exchange, a_store_that_says_nothing_is_not_waited_for_without_end)
{
    c = make({.limits = {.connect = 1000ms, .silence = 1s}, .attempts = 1});
    store.say({.status = 200, .hangs = 3s});
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(code(c->remove("a")), fault_code::network_timeout);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2900ms);
}

TEST_F(exchange, a_store_that_hangs_is_waited_for_by_one_only)
{
    c = make({.limits = {.connect = 1000ms, .silence = 1s}, .attempts = 1});
    for (int i = 0; i < 2; ++i) {
        store.say({.status = 200, .hangs = 2s});
        EXPECT_EQ(code(c->remove("a")), fault_code::network_timeout);
    }
    for (int i = 0; i < 100; ++i) EXPECT_EQ(code(c->remove("a")), fault_code::network_timeout);
    EXPECT_EQ(store.asked().size(), 2U);
    clock.advance(1s);
    say(204);
    say(204);
    EXPECT_TRUE(c->remove("a")) << "one looks again";
    EXPECT_TRUE(c->remove("a"));
}

TEST_F(exchange, a_slow_reader_costs_neither_the_download_nor_memory)
{
    c = make({.limits = {.connect = 1000ms, .silence = 1s}, .attempts = 1});
    const std::string content(20'000'000, 'x');
    say(206, content);
    const auto part = c->get_part("a", 0, content.size(), {});
    std::vector<char> piece(1000);
    ASSERT_TRUE(part->read(piece));
    // Longer than silence is tolerated: it is we who are silent.
    std::this_thread::sleep_for(2500ms);
    std::uint64_t got = 1000;
    piece.resize(200'000);
    for (;;) {
        const auto n = part->read(piece);
        ASSERT_TRUE(n) << n.error().message;
        if (*n == 0) break;
        got += *n;
    }
    EXPECT_EQ(got, content.size());
    EXPECT_EQ(store.asked().size(), 1U);
}

TEST_F(exchange, says_whom_it_cannot_reach)
{
    std::unique_ptr<client> away;
    {
        testing::scripted_store gone;
        auto a =
            parse_address("s3://backups?endpoint=" + gone.endpoint(), [](const std::string&) { return std::nullopt; });
        away = std::make_unique<client>(std::move(*a), std::make_unique<changing_keys>(), clock, random,
                                        client_options{.attempts = 2, .wait = [](auto) {}});
    }
    const auto r = away->get("a", 10);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::network_unreachable);
    EXPECT_TRUE(r.error().message.contains("127.0.0.1:")) << r.error().message;
}

} // namespace
} // namespace xentz::s3
