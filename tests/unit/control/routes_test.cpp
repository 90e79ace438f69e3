#include "fleet.hpp"

namespace xentz::control {
namespace {

http::request_head head(const std::string& method, const std::string& path, headers h = {})
{
    http::request_head r;
    r.method = method;
    r.path = path;
    r.headers = std::move(h);
    return r;
}

struct routes : testing::Test {
    fleet f;
    http::router router;
    routes() { add_device_api(router, f.s); }

    std::string answered(const http::request_head& h)
    {
        const auto a = router.begin(h);
        const auto* r = std::get_if<http::response>(&a);
        return r == nullptr ? "reads a body" : kind_of(*r);
    }
};

TEST_F(routes, bodies_are_read_up_to_their_limits)
{
    const auto install = router.begin(head("POST", "/v1/install"));
    ASSERT_TRUE(std::holds_alternative<http::collect>(install));
    EXPECT_EQ(std::get<http::collect>(install).most, 65536U);
    const auto report = router.begin(head("POST", "/v1/report"));
    ASSERT_TRUE(std::holds_alternative<http::collect>(report));
    EXPECT_EQ(std::get<http::collect>(report).most, 262144U);
    EXPECT_EQ(kind_of(std::get<http::collect>(report).then(post("", "{}"))), "401 unauthorized");
    EXPECT_EQ(kind_of(std::get<http::collect>(install).then(post("xit_x", plain_install))), "401 token-unknown");
}

TEST_F(routes, only_json_is_read)
{
    for (const auto* type :
         {"application/json", "application/json; charset=utf-8", "Application/JSON ;x=y", "application/vnd.xentz+json"})
        EXPECT_EQ(answered(head("POST", "/v1/report", {{"Content-Type", type}})), "reads a body") << type;
    for (const auto* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""})
        EXPECT_EQ(answered(head("POST", "/v1/install", {{"content-type", type}})), "415 unsupported-media-type")
            << type;
}

TEST_F(routes, the_config_is_answered_at_once)
{
    EXPECT_EQ(answered(head("GET", "/v1/config")), "401 unauthorized");
    const auto d = enrol(f, f.new_token());
    EXPECT_EQ(answered(head("GET", "/v1/config", {{"Authorization", "Bearer " + d.key}})), "200");
}

TEST_F(routes, another_method_or_path_is_none)
{
    EXPECT_EQ(answered(head("GET", "/v1/install")), "405 method-not-allowed");
    EXPECT_EQ(answered(head("POST", "/v1/config")), "405 method-not-allowed");
    EXPECT_EQ(answered(head("GET", "/v1/unknown")), "404 not-found");
}

} // namespace
} // namespace xentz::control
