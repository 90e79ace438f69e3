#include "http/message.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace xentz::http {
namespace {

request_head with_authorization(std::string value)
{
    request_head head;
    head.headers.push_back({"authorization", std::move(value)});
    return head;
}

std::string to_base64(std::string_view bytes)
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = (group << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            const bool padding = k > bytes.size() - i;
            out.push_back(padding ? '=' : digits[(group >> (18U - 6U * k)) & 63U]);
        }
    }
    return out;
}

std::string to_query(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0) {
            out.push_back(c);
        } else if (c == ' ') {
            out.push_back('+');
        } else {
            out += {'%', digits[byte >> 4U], digits[byte & 15U]};
        }
    }
    return out;
}

TEST(find_header, finds_the_first_of_a_name_in_any_case)
{
    const std::vector<header> headers{{"Accept", "a"}, {"X-Thing", "one"}, {"x-thing", "two"}};
    ASSERT_NE(find_header(headers, "X-THING"), nullptr);
    EXPECT_EQ(*find_header(headers, "X-THING"), "one");
    EXPECT_EQ(find_header(headers, "X-Thin"), nullptr);
    EXPECT_EQ(find_header(headers, "X-Things"), nullptr);
}

TEST(to_date, writes_whole_seconds_as_http_has_them)
{
    const auto at = [](std::int64_t microseconds) { return base::time_point{std::chrono::microseconds{microseconds}}; };
    EXPECT_EQ(to_date(at(784'111'777'000'000)), "Sun, 06 Nov 1994 08:49:37 GMT"); // the example of RFC 9110
    EXPECT_EQ(to_date(at(784'111'777'999'999)), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(to_date(at(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(to_date(at(951'868'799'000'000)), "Tue, 29 Feb 2000 23:59:59 GMT");
}

TEST(problem, becomes_a_response_and_back)
{
    const auto r = to_response({403, "device-revoked", "revoked", "say \"no\"\nto it"});
    EXPECT_EQ(r.status, 403);
    ASSERT_NE(find_header(r.headers, "content-type"), nullptr);
    EXPECT_EQ(*find_header(r.headers, "content-type"), "application/problem+json");
    const auto p = parse_problem(std::get<std::string>(r.body));
    ASSERT_TRUE(p.has_value());
    EXPECT_EQ(p->status, 403);
    EXPECT_EQ(p->type, "device-revoked");
    EXPECT_EQ(p->title, "revoked");
    EXPECT_EQ(p->detail, "say \"no\"\nto it");
}

TEST(problem, is_not_found_in_other_bodies)
{
    for (const char* body : {"", "<html>403</html>", "[]", "\"device-revoked\"", "{}", R"({"title":"no type"})",
                             R"({"type":7})", R"({"type":"x")", R"({"type":""})"}) {
        EXPECT_FALSE(parse_problem(body).has_value()) << body;
    }
}

TEST(problem, tolerates_members_of_other_types)
{
    const auto p = parse_problem(R"({"type":"t","status":"403","title":null,"detail":[1],"more":{}})");
    ASSERT_TRUE(p.has_value());
    EXPECT_EQ(p->type, "t");
    EXPECT_EQ(p->status, 0);
    EXPECT_EQ(p->detail, "");
}

TEST(json_response, has_the_content_type)
{
    const auto r = json_response(201, "{}");
    EXPECT_EQ(r.status, 201);
    EXPECT_EQ(*find_header(r.headers, "Content-Type"), "application/json");
    EXPECT_EQ(std::get<std::string>(r.body), "{}");
}

TEST(basic_auth, takes_user_and_password_apart_at_the_first_colon)
{
    // RFC 7617 section 2
    const auto c = basic_auth(with_authorization("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    ASSERT_TRUE(c.has_value());
    EXPECT_EQ(c->user, "Aladdin");
    EXPECT_EQ(c->password, "open sesame");
    const auto colons = basic_auth(with_authorization("bAsIc   " + to_base64("u:a:b")));
    ASSERT_TRUE(colons.has_value());
    EXPECT_EQ(colons->user, "u");
    EXPECT_EQ(colons->password, "a:b");
}

TEST(basic_auth, refuses_what_is_malformed)
{
    EXPECT_FALSE(basic_auth(request_head{}).has_value());
    for (const char* value : {
             "", "Basic", "Basic ", "BasicQTpC", "Bearer QTpC",
             "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",    // no padding
             "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=",   // too little
             "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ===", // too much
             "Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==",  // unused bits set
             "Basic QTpC QTpC", "Basic QT-C", "Basic QTp=C", "Basic ====", "Basic QTpC\n",
             "Basic QUI=", // no colon
         }) {
        EXPECT_FALSE(basic_auth(with_authorization(value)).has_value()) << value;
    }
    EXPECT_FALSE(basic_auth(with_authorization("Basic " + to_base64("u\n:p"))).has_value());
    EXPECT_FALSE(basic_auth(with_authorization("Basic " + to_base64(std::string_view{"u:p\0", 4}))).has_value());
}

RC_GTEST_PROP(basic_auth, reads_what_was_encoded, (const std::string& noise))
{
    std::string text;
    for (const char c : noise) {
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) text.push_back(c);
    }
    const auto c = basic_auth(with_authorization("Basic " + to_base64("user:" + text)));
    RC_ASSERT(c.has_value());
    RC_ASSERT(c->user == "user");
    RC_ASSERT(c->password == text);
}

TEST(bearer_token, reads_the_token)
{
    EXPECT_EQ(bearer_token(with_authorization("Bearer xdk_0af-._~+/=")), "xdk_0af-._~+/=");
    EXPECT_EQ(bearer_token(with_authorization("bearer  a")), "a");
    for (const char* value :
         {"", "Bearer", "Bearer ", "Basic QTpC", "Bearera", "Bearer a b", "Bearer a\"", "Bearer a,b"}) {
        EXPECT_FALSE(bearer_token(with_authorization(value)).has_value()) << value;
    }
}

TEST(query_value, finds_and_decodes)
{
    EXPECT_EQ(query_value("create=true", "create"), "true");
    EXPECT_EQ(query_value("a=1&b=2&a=3", "a"), "1");
    EXPECT_EQ(query_value("a=1&b=2", "b"), "2");
    EXPECT_EQ(query_value("a=x%20y%2Bz+w", "a"), "x y+z w");
    EXPECT_EQ(query_value("a%62=1", "ab"), "1");
    EXPECT_EQ(query_value("a=b=c", "a"), "b=c");
    EXPECT_EQ(query_value("a", "a"), "");
    EXPECT_EQ(query_value("&&a=&", "a"), "");
    EXPECT_FALSE(query_value("", "a").has_value());
    EXPECT_FALSE(query_value("ab=1", "a").has_value());
    EXPECT_FALSE(query_value("b=a", "a").has_value());
}

TEST(query_value, is_nothing_where_malformed)
{
    for (const char* query : {"a=%", "a=%4", "a=%zz", "a=x%", "a=%4g"}) {
        EXPECT_FALSE(query_value(query, "a").has_value()) << query;
    }
}

RC_GTEST_PROP(query_value, reads_what_was_encoded, (const std::string& first, const std::string& second))
{
    const auto query = "first=" + to_query(first) + "&second=" + to_query(second);
    RC_ASSERT(query_value(query, "first") == first);
    RC_ASSERT(query_value(query, "second") == second);
}

RC_GTEST_PROP(query_value, survives_any_text, (const std::string& query, const std::string& key))
{
    const auto value = query_value(query, key);
    RC_ASSERT(!value.has_value() || value->size() <= query.size());
}

} // namespace
} // namespace xentz::http
