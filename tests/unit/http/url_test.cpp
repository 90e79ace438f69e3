#include "http/client.hpp"
#include "http/server.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace xentz::http {
namespace {

TEST(parse_url, takes_an_address_apart)
{
    const auto plain = parse_url("http://example.com:8080/a/b?c=d");
    ASSERT_TRUE(plain.has_value());
    EXPECT_EQ(plain->url, "http://example.com:8080/a/b?c=d");
    EXPECT_EQ(plain->host, "example.com");
    EXPECT_FALSE(plain->https);
    EXPECT_FALSE(plain->basic.has_value());

    const auto full = parse_url("HTTPS://dev_1:p%40ss%3Aw@[::1]:9/repo/t/d/u/#part");
    ASSERT_TRUE(full.has_value());
    EXPECT_EQ(full->url, "HTTPS://[::1]:9/repo/t/d/u/");
    EXPECT_EQ(full->host, "::1");
    EXPECT_TRUE(full->https);
    ASSERT_TRUE(full->basic.has_value());
    EXPECT_EQ(full->basic->user, "dev_1");
    EXPECT_EQ(full->basic->password, "p@ss:w");

    const auto user_only = parse_url("https://someone@host");
    ASSERT_TRUE(user_only.has_value());
    EXPECT_EQ(user_only->url, "https://host");
    EXPECT_EQ(user_only->basic->user, "someone");
    EXPECT_EQ(user_only->basic->password, "");
}

TEST(parse_url, refuses_other_texts_without_repeating_them)
{
    for (const char* text :
         {"", "secret", "ftp://secret/", "http:", "http://", "http:///secret", "//secret/", "http://secret host/",
          "https://127.0.0.1\\@secret/", "http://secret:port/", "http://secret:80x/", "http://secret:65536/",
          "http://secret:0/", "http://secret:/", "http://[::1]secret/", "http://%73ecret/", "http://user:pa ss@secret/",
          "http://secret/%zz"}) {
        const auto r = parse_url(text);
        ASSERT_FALSE(r.has_value()) << text;
        EXPECT_EQ(r.error().code, base::fault_code::invalid_value);
        EXPECT_EQ(sentence(r.error()).find("secret"), std::string::npos);
        EXPECT_FALSE(r.error().remedy.empty());
    }
}

RC_GTEST_PROP(parse_url, survives_any_text, (const std::string& text))
{
    const auto r = parse_url("http://" + text);
    if (r) {
        RC_ASSERT(!r->host.empty());
        const auto again = parse_url(r->url);
        RC_ASSERT(again.has_value());
        RC_ASSERT(again->host == r->host);
        RC_ASSERT(!again->basic.has_value());
    }
}

TEST(is_literal_loopback, knows_numbers_only)
{
    for (const char* host : {"127.0.0.1", "127.0.0.2", "127.255.255.255", "::1", "[::1]", "0:0:0:0:0:0:0:1"}) {
        EXPECT_TRUE(is_literal_loopback(host)) << host;
    }
    for (const char* host : {"", "localhost", "127.0.0.1.example.com", "127.0.0.1.", "127.1", "0127.0.0.1",
                             "2130706433", "128.0.0.1", "126.0.0.1", "0.0.0.0", "::", "::2", "[::1", "::1]",
                             "[127.0.0.1]", "::ffff:127.0.0.1", "0x7f.0.0.1", " 127.0.0.1"}) {
        EXPECT_FALSE(is_literal_loopback(host)) << host;
    }
}

TEST(parse_listen_address, reads_both_families)
{
    const auto v4 = parse_listen_address("127.0.0.1:8080");
    ASSERT_TRUE(v4.has_value());
    EXPECT_EQ(v4->host, "127.0.0.1");
    EXPECT_EQ(v4->port, 8080);
    const auto v6 = parse_listen_address("[::1]:0");
    ASSERT_TRUE(v6.has_value());
    EXPECT_EQ(v6->host, "::1");
    EXPECT_EQ(v6->port, 0);
}

TEST(parse_listen_address, refuses_everything_else)
{
    for (const char* text :
         {"", ":", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x",
          "localhost:80", "::1:80", "[127.0.0.1]:80", "[]:80", "[::1]", "1.2.3:80"}) {
        const auto r = parse_listen_address(text);
        ASSERT_FALSE(r.has_value()) << text;
        EXPECT_EQ(r.error().code, base::fault_code::invalid_value);
        EXPECT_FALSE(r.error().remedy.empty());
    }
}

} // namespace
} // namespace xentz::http
