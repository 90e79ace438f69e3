#include "http/client_address.hpp"

#include <gtest/gtest.h>

namespace xentz::http {
namespace {

using forwarded = std::vector<header>;

trusted_proxies proxies(const std::vector<std::string>& texts)
{
    auto out = trusted_proxies::parse(texts);
    EXPECT_TRUE(out);
    return out ? *out : trusted_proxies{};
}

TEST(client_address, nobody_is_believed_without_being_named)
{
    EXPECT_EQ(trusted_proxies{}.client_of("192.0.2.1", {{"X-Forwarded-For", "198.51.100.7"}}), "192.0.2.1");
    EXPECT_EQ(proxies({"127.0.0.1"}).client_of("192.0.2.1", {{"X-Forwarded-For", "198.51.100.7"}}), "192.0.2.1");
}

TEST(client_address, a_proxy_names_its_client)
{
    const auto p = proxies({"127.0.0.1", "10.0.0.0/8", "fd00::/8"});
    EXPECT_EQ(p.client_of("127.0.0.1", {{"x-forwarded-for", "198.51.100.7"}}), "198.51.100.7");
    EXPECT_EQ(p.client_of("10.255.0.1", {{"X-Forwarded-For", " 2001:db8::1 "}}), "2001:db8::1");
    EXPECT_EQ(p.client_of("fd12::1", {{"X-Forwarded-For", "198.51.100.7"}}), "198.51.100.7");
    EXPECT_EQ(p.client_of("::ffff:127.0.0.1", {{"X-Forwarded-For", "198.51.100.7"}}), "198.51.100.7");
    EXPECT_EQ(p.client_of("11.0.0.1", {{"X-Forwarded-For", "198.51.100.7"}}), "11.0.0.1");
    EXPECT_EQ(p.client_of("fe00::1", {{"X-Forwarded-For", "198.51.100.7"}}), "fe00::1");
}

TEST(client_address, what_the_client_itself_wrote_is_not_believed)
{
    const auto p = proxies({"127.0.0.1", "10.0.0.0/8"});
    EXPECT_EQ(p.client_of("127.0.0.1", {{"X-Forwarded-For", "1.1.1.1, 198.51.100.7, 10.0.0.2"}}), "198.51.100.7");
    EXPECT_EQ(p.client_of("127.0.0.1", {{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-For", "198.51.100.7"}}),
              "198.51.100.7");
    EXPECT_EQ(p.client_of("127.0.0.1", {{"X-Forwarded-For", "198.51.100.7, nonsense"}}), "127.0.0.1");
    EXPECT_EQ(p.client_of("127.0.0.1", {{"X-Forwarded-For", "198.51.100.7, nonsense, 10.0.0.2"}}), "10.0.0.2");
}

TEST(client_address, a_proxy_that_names_nobody_is_the_client)
{
    const auto p = proxies({"127.0.0.1"});
    EXPECT_EQ(p.client_of("127.0.0.1", {}), "127.0.0.1");
    EXPECT_EQ(p.client_of("127.0.0.1", {{"X-Forwarded-For", ""}}), "127.0.0.1");
    EXPECT_EQ(p.client_of("127.0.0.1", {{"X-Forwarded-For", "127.0.0.1"}}), "127.0.0.1");
}

TEST(client_address, refuses_what_is_no_range)
{
    for (const auto* text : {"", "proxy.example.com", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "10.0.0.0/-1",
                             "fd00::/129", "/8", "10.0.0/8"})
        EXPECT_FALSE(trusted_proxies::parse({text})) << text;
    EXPECT_EQ(proxies({"0.0.0.0/0"}).client_of("192.0.2.1", {{"X-Forwarded-For", "2001:db8::1"}}), "2001:db8::1");
}

TEST(client_address, what_counts_as_one_source)
{
    EXPECT_EQ(network_of("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(network_of("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    EXPECT_EQ(network_of("nonsense"), "nonsense");
}

} // namespace
} // namespace xentz::http
