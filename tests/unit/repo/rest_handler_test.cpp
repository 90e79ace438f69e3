// The restic REST protocol, row by row, over a store in memory.
#include "base/time_text.hpp"
#include "repo/memory_blob_store.hpp"
#include "repo/rest_handler.hpp"
#include "unit/repo/rest_support.hpp"

#include <gtest/gtest.h>

#include <set>

namespace xentz::repo {
namespace {

using namespace testing_support;

struct rest : testing::Test {
    memory_blob_store store;
    fake_ledger book;
    memory_log log;
    rest_handler handler{store, book, log, {.most_object_bytes = 100'000, .most_small_bytes = 1000}};

    rest()
    {
        book.rows = {{{"ten_1", "dev_1", "default"}, "dev_1", "secret one", {"repo_1", false}},
                     {{"ten_1", "dev_2", "default"}, "dev_2", "secret two", {"repo_2", false}}};
    }

    answer send(const ask& q) { return asked(handler, q); }
    answer post(const std::string& rest_of_path, std::string body)
    {
        return send({.method = "POST", .rest = rest_of_path, .body = std::move(body)});
    }
    // A repository as restic's init leaves it.
    void create()
    {
        ASSERT_EQ(send({.method = "POST", .rest = "?create=true", .body = ""}).status, 200);
        ASSERT_EQ(post("config", "the config").status, 200);
        log.warnings.clear();
    }
};

const std::string missing_name(64, '0');

TEST_F(rest, initialises_as_restic_does)
{
    EXPECT_EQ(send({.method = "HEAD", .rest = "config"}).status, 404);
    EXPECT_EQ(send({.method = "POST", .rest = "?create=true", .body = ""}).status, 200);
    EXPECT_EQ(send({.method = "POST", .rest = "?create=true", .body = ""}).status, 200);
    EXPECT_FALSE(book.initialised("repo_1"));
    EXPECT_EQ(post("config", "the config").status, 200);
    EXPECT_TRUE(book.initialised("repo_1"));
    const auto head = send({.method = "HEAD", .rest = "config"});
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.content_length, 10U);
    EXPECT_EQ(head.body, "");
    const auto got = send({.rest = "config"});
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "the config");
    EXPECT_TRUE(log.warnings.empty());
}

TEST_F(rest, creates_only_where_it_is_told_to)
{
    for (const auto* query : {"", "?create=false", "?create=", "?create=True", "?created=true"}) {
        const auto a = send({.method = "POST", .rest = query, .body = ""});
        EXPECT_EQ(a.status, 400) << query;
        EXPECT_EQ(a.problem(), "invalid-request");
    }
    EXPECT_EQ(post("config", "c").status, 404);
    EXPECT_EQ(send({.rest = "data/"}).status, 404);
}

TEST_F(rest, takes_the_same_config_again_and_no_other)
{
    create();
    EXPECT_EQ(post("config", "the config").status, 200);
    const auto other = post("config", "another one");
    EXPECT_EQ(other.status, 403);
    EXPECT_EQ(other.problem(), "config-exists");
    EXPECT_EQ(send({.rest = "config"}).body, "the config");
    EXPECT_TRUE(log.says("repository repo_1: POST config"));
}

TEST_F(rest, a_config_is_in_the_ledger_before_it_is_acknowledged)
{
    ASSERT_EQ(send({.method = "POST", .rest = "?create=true"}).status, 200);
    auto begun = handler.begin(head_of({.method = "POST", .rest = "config", .body = "the config"}));
    book.broken = true;
    const auto a = played(std::move(begun), "the config");
    EXPECT_EQ(a.status, 503);
    EXPECT_EQ(a.problem(), "database-unavailable");
    EXPECT_NE(a.header("Retry-After"), "");
    book.broken = false;
    EXPECT_FALSE(book.initialised("repo_1"));
    EXPECT_EQ(post("config", "the config").status, 200);
    EXPECT_TRUE(book.initialised("repo_1"));
}

TEST_F(rest, a_config_that_is_there_becomes_known_when_it_is_looked_at)
{
    for (const auto* method : {"GET", "HEAD"}) {
        create();
        book.set_initialised("repo_1", false);
        EXPECT_EQ(send({.method = method, .rest = "config"}).status, 200);
        EXPECT_TRUE(book.initialised("repo_1")) << method;
    }
    book.calls.clear();
    EXPECT_EQ(send({.rest = "config"}).status, 200);
    EXPECT_TRUE(book.calls.empty());
}

TEST_F(rest, says_when_an_object_was_stored)
{
    create();
    store.set_now(base::parse_rfc3339("2026-11-23T18:31:05.9Z").value());
    const auto path = "locks/" + name_of("a lock");
    ASSERT_EQ(post(path, "a lock").status, 200);
    const std::vector<http::header> part{{"Range", "bytes=1-2"}};
    for (const auto& q : {ask{.method = "HEAD", .rest = path}, ask{.rest = path}, ask{.rest = path, .headers = part}})
        EXPECT_EQ(send(q).header("Last-Modified"), "Mon, 23 Nov 2026 18:31:05 GMT") << q.method;
}

TEST_F(rest, stores_and_gives_back_every_type)
{
    create();
    for (const std::string type : {"data", "keys", "locks", "snapshots", "index"}) {
        const auto bytes = "bytes of " + type;
        const auto path = type + "/" + name_of(bytes);
        EXPECT_EQ(send({.method = "HEAD", .rest = path}).status, 404);
        EXPECT_EQ(send({.rest = path}).status, 404);
        EXPECT_EQ(post(path, bytes).status, 200);
        EXPECT_EQ(post(path, bytes).status, 200) << "again";
        const auto head = send({.method = "HEAD", .rest = path});
        EXPECT_EQ(head.status, 200);
        EXPECT_EQ(head.content_length, bytes.size());
        const auto got = send({.rest = path});
        EXPECT_EQ(got.status, 200);
        EXPECT_EQ(got.body, bytes);
        EXPECT_EQ(got.content_length, bytes.size());
        EXPECT_EQ(got.header("Content-Type"), "application/octet-stream");
        EXPECT_EQ(got.header("Accept-Ranges"), "bytes");
        EXPECT_EQ(send({.method = "DELETE", .rest = path}).status, 200);
        EXPECT_EQ(send({.method = "DELETE", .rest = path}).status, 200) << "again";
        EXPECT_EQ(send({.rest = path}).status, 404);
    }
    EXPECT_TRUE(log.warnings.empty());
}

TEST_F(rest, an_empty_object_is_an_object)
{
    create();
    const auto path = "data/" + name_of("");
    EXPECT_EQ(post(path, "").status, 200);
    const auto got = send({.rest = path, .headers = {{"Range", "bytes=0-"}}});
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "");
    EXPECT_EQ(got.content_length, 0U);
}

TEST_F(rest, sends_parts)
{
    create();
    std::string bytes;
    for (int i = 0; i < 5000; ++i) bytes += static_cast<char>('a' + i % 26);
    const auto path = "data/" + name_of(bytes);
    ASSERT_EQ(post(path, bytes).status, 200);
    const auto part = send({.rest = path, .headers = {{"Range", "bytes=1234-3456"}}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, bytes.substr(1234, 2223));
    EXPECT_EQ(part.content_length, 2223U);
    EXPECT_EQ(part.header("Content-Range"), "bytes 1234-3456/5000");
    const auto all = send({.rest = path, .headers = {{"range", "bytes=0-"}}});
    EXPECT_EQ(all.status, 206);
    EXPECT_EQ(all.body, bytes);
    const auto end = send({.rest = path, .headers = {{"Range", "bytes=-10"}}});
    EXPECT_EQ(end.header("Content-Range"), "bytes 4990-4999/5000");
    EXPECT_EQ(end.body, bytes.substr(4990));
    const auto several = send({.rest = path, .headers = {{"Range", "bytes=0-1,5-6"}}});
    EXPECT_EQ(several.status, 200);
    EXPECT_EQ(several.body, bytes);
    const auto beyond = send({.rest = path, .headers = {{"Range", "bytes=5000-"}}});
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.header("Content-Range"), "bytes */5000");
}

TEST_F(rest, refuses_bytes_that_do_not_fit_their_name)
{
    create();
    for (const std::string type : {"data", "keys", "locks", "snapshots", "index"}) {
        const auto path = type + "/" + name_of("right");
        const auto wrong = post(path, "wrong");
        EXPECT_EQ(wrong.status, 400);
        EXPECT_EQ(wrong.problem(), "hash-mismatch");
        EXPECT_EQ(send({.rest = path}).status, 404);
        EXPECT_TRUE(log.says("repository repo_1: POST " + path));
    }
}

TEST_F(rest, refuses_a_cut_body)
{
    ASSERT_EQ(send({.method = "POST", .rest = "?create=true"}).status, 200);
    const auto head = head_of({.method = "POST", .rest = "config", .body = "the config"});
    for (const auto* body : {"the con", "", "the config and more"}) {
        const auto cut = played(handler.begin(head), body);
        EXPECT_EQ(cut.status, 400) << body;
        EXPECT_EQ(cut.problem(), "hash-mismatch");
    }
    EXPECT_EQ(send({.rest = "config"}).status, 404);
    EXPECT_FALSE(book.initialised("repo_1"));
}

TEST_F(rest, an_upload_that_does_not_finish_leaves_nothing)
{
    create();
    const std::string bytes = "some bytes";
    const ask q{.method = "POST", .rest = "data/" + name_of(bytes), .body = bytes};
    {
        auto begun = handler.begin(head_of(q));
        ASSERT_TRUE(std::get<http::upload>(begun).sink->write(std::span{bytes.data(), bytes.size()}));
        EXPECT_EQ(send({.rest = "data/"}).body, "[]");
    }
    EXPECT_EQ(send({.rest = q.rest}).status, 404);
    EXPECT_EQ(send({.rest = "data/"}).body, "[]");
}

TEST_F(rest, wants_a_length_within_limits)
{
    create();
    const ask q{.method = "POST", .rest = "data/" + missing_name};
    EXPECT_EQ(send(q).status, 411);
    auto chunked = head_of(q);
    chunked.chunked = true;
    EXPECT_EQ(played(handler.begin(chunked), "").problem(), "length-required");
    const auto begin_with = [&](const std::string& path, std::uint64_t length) {
        auto head = head_of({.method = "POST", .rest = path});
        head.content_length = length;
        return handler.begin(head);
    };
    EXPECT_EQ(played(begin_with("data/" + missing_name, 100'001), "").status, 413);
    EXPECT_EQ(std::get<http::upload>(begin_with("data/" + missing_name, 100'000)).most, 100'000U);
    for (const auto& path : {std::string{"config"}, "keys/" + missing_name, "locks/" + missing_name}) {
        EXPECT_EQ(played(begin_with(path, 1001), "").problem(), "too-large") << path;
        EXPECT_EQ(std::get<http::upload>(begin_with(path, 1000)).most, 1000U) << path;
    }
    EXPECT_TRUE(std::holds_alternative<http::upload>(begin_with("snapshots/" + missing_name, 100'000)));
    EXPECT_TRUE(std::holds_alternative<http::upload>(begin_with("index/" + missing_name, 100'000)));
}

TEST_F(rest, refuses_names_that_are_none)
{
    create();
    for (const auto* method : {"GET", "HEAD", "POST", "DELETE"})
        for (const auto* rest_of_path : {"data/short", "keys/..", "locks/../config", "index/%2e%2e"}) {
            const auto a = send({.method = method, .rest = rest_of_path, .body = "x"});
            EXPECT_EQ(a.status, 400);
            EXPECT_EQ(a.problem(), "invalid-name");
        }
}

TEST_F(rest, knows_no_other_paths)
{
    create();
    for (const auto* rest_of_path : {"secrets/", "config/", "../config", "data2", "/"}) {
        const auto a = send({.rest = rest_of_path});
        EXPECT_EQ(a.status, 404) << rest_of_path;
        EXPECT_EQ(a.problem(), "not-found");
    }
    EXPECT_EQ(send({.rest = "config", .where = "/ten_1/dev_1/"}).status, 404);
    EXPECT_EQ(send({.rest = "config", .where = "/ten_1/../dev_1/default/"}).status, 404);
}

TEST_F(rest, says_which_methods_there_are)
{
    create();
    const auto refused = [&](const char* method, const std::string& path) {
        const auto a = send({.method = method, .rest = path});
        EXPECT_EQ(a.status, 405) << method << " " << path;
        EXPECT_EQ(a.problem(), "method-not-allowed");
        return a.header("Allow");
    };
    EXPECT_EQ(refused("DELETE", ""), "POST");
    EXPECT_EQ(refused("GET", ""), "POST");
    EXPECT_EQ(refused("POST", "data/"), "GET");
    EXPECT_EQ(refused("DELETE", "data/"), "GET");
    EXPECT_EQ(refused("PUT", "config"), "GET, HEAD, POST, DELETE");
    EXPECT_EQ(refused("PATCH", "data/" + missing_name), "GET, HEAD, POST, DELETE");
}

TEST_F(rest, removes_a_config_from_the_ledger_first)
{
    create();
    EXPECT_EQ(send({.method = "DELETE", .rest = "config"}).status, 200);
    EXPECT_FALSE(book.initialised("repo_1"));
    EXPECT_EQ(send({.method = "HEAD", .rest = "config"}).status, 404);
    EXPECT_EQ(post("config", "a new one").status, 200);

    auto head = head_of({.method = "DELETE", .rest = "config"});
    book.calls.clear();
    store.set_available(false);
    EXPECT_EQ(played(handler.begin(head), "").status, 503);
    EXPECT_TRUE(book.calls.empty());
}

TEST_F(rest, lists_in_both_versions)
{
    create();
    EXPECT_EQ(send({.rest = "data/"}).body, "[]");
    const auto small = name_of("x");
    ASSERT_EQ(post("data/" + small, "x").status, 200);
    const auto v1 = send({.rest = "data/"});
    EXPECT_EQ(v1.status, 200);
    EXPECT_EQ(v1.header("Content-Type"), "application/vnd.x.restic.rest.v1");
    EXPECT_EQ(v1.body, "[\"" + small + "\"]");
    EXPECT_TRUE(v1.chunked);
    for (const std::string accept :
         {"application/vnd.x.restic.rest.v2", "text/html, application/vnd.x.restic.rest.v2;q=0.9"}) {
        const auto v2 = send({.rest = "data", .headers = {{"Accept", accept}}});
        EXPECT_EQ(v2.header("Content-Type"), "application/vnd.x.restic.rest.v2");
        EXPECT_EQ(v2.body, R"([{"name":")" + small + R"(","size":1}])");
    }
    EXPECT_EQ(send({.rest = "keys/"}).body, "[]");
}

TEST_F(rest, lists_a_thousand_objects_in_pieces_of_any_size)
{
    create();
    std::set<std::string> expected;
    for (int i = 0; i < 1000; ++i) {
        const auto bytes = std::to_string(i);
        expected.insert(name_of(bytes));
        ASSERT_EQ(post("data/" + name_of(bytes), bytes).status, 200);
    }
    const auto listed = [&](std::size_t piece) {
        return drained(std::get<http::response>(handler.begin(head_of({.rest = "data/"}))), piece).body;
    };
    const auto text = listed(64 * 1024);
    EXPECT_EQ(listed(1), text);
    EXPECT_EQ(listed(67), text);
    std::set<std::string> seen;
    ASSERT_EQ(text.size(), 1000 * 67 + 1);
    for (std::size_t i = 0; i < 1000; ++i) {
        EXPECT_EQ(text[i * 67], i == 0 ? '[' : ',');
        seen.insert(text.substr(i * 67 + 2, 64));
    }
    EXPECT_EQ(text.back(), ']');
    EXPECT_EQ(seen, expected);
}

} // namespace
} // namespace xentz::repo
