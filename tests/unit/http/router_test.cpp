#include "http/handler.hpp"

#include <gtest/gtest.h>

namespace xentz::http {
namespace {

request_head head_of(std::string method, std::string path)
{
    request_head head;
    head.method = std::move(method);
    head.path = std::move(path);
    return head;
}

std::function<admission(const request_head&)> answering(std::string name)
{
    return [name](const request_head& head) -> admission {
        response r;
        r.body = name + " " + head.method + " " + head.path;
        return r;
    };
}

class named_handler final : public handler {
public:
    explicit named_handler(std::string name) : answer_{answering(std::move(name))} {}
    admission begin(const request_head& head) override { return answer_(head); }

private:
    std::function<admission(const request_head&)> answer_;
};

struct seen {
    int status = 0;
    std::string body;
    std::string type;
    std::string allow;
};

seen ask(router& r, std::string method, std::string path)
{
    auto admitted = r.begin(head_of(std::move(method), std::move(path)));
    const auto& answer = std::get<response>(admitted);
    seen s{answer.status, std::get<std::string>(answer.body), {}, {}};
    if (const auto p = parse_problem(s.body)) s.type = p->type;
    if (const auto* allow = find_header(answer.headers, "Allow")) s.allow = *allow;
    return s;
}

TEST(router, matches_method_and_path)
{
    router r;
    r.add("GET", "/a", answering("get"));
    r.add("POST", "/a", answering("post"));
    r.add("GET", "/b", answering("other"));
    EXPECT_EQ(ask(r, "GET", "/a").body, "get GET /a");
    EXPECT_EQ(ask(r, "POST", "/a").body, "post POST /a");
    EXPECT_EQ(ask(r, "GET", "/b").body, "other GET /b");
}

TEST(router, answers_head_by_the_get_route_unless_there_is_one_of_its_own)
{
    router r;
    r.add("GET", "/a", answering("get"));
    r.add("GET", "/b", answering("get"));
    r.add("HEAD", "/b", answering("head"));
    EXPECT_EQ(ask(r, "HEAD", "/a").body, "get HEAD /a");
    EXPECT_EQ(ask(r, "HEAD", "/b").body, "head HEAD /b");
}

TEST(router, tells_an_unknown_path_from_a_wrong_method)
{
    router r;
    r.add("GET", "/a", answering("get"));
    r.add("POST", "/a", answering("post"));
    r.add("POST", "/b", answering("post"));
    for (const char* path : {"/", "/c", "/a/", "/aa", "*"}) {
        const auto s = ask(r, "GET", path);
        EXPECT_EQ(s.status, 404) << path;
        EXPECT_EQ(s.type, "not-found") << path;
    }
    const auto s = ask(r, "DELETE", "/a");
    EXPECT_EQ(s.status, 405);
    EXPECT_EQ(s.type, "method-not-allowed");
    EXPECT_EQ(s.allow, "GET, HEAD, POST");
    EXPECT_EQ(ask(r, "HEAD", "/b").allow, "POST");
}

TEST(router, cuts_its_prefix_off)
{
    for (const char* prefix : {"/control", "/control/"}) {
        router r{prefix};
        r.add("GET", "/", answering("root"));
        r.add("GET", "/v1", answering("v1"));
        EXPECT_EQ(ask(r, "GET", "/control/v1").body, "v1 GET /v1");
        EXPECT_EQ(ask(r, "GET", "/control").body, "root GET /");
        EXPECT_EQ(ask(r, "GET", "/control/").body, "root GET /");
        for (const char* path : {"/v1", "/", "/controlv1", "/controls/v1", "/CONTROL/v1"}) {
            EXPECT_EQ(ask(r, "GET", path).status, 404) << path;
        }
    }
}

TEST(router, hands_a_mounted_handler_the_rest_of_the_path)
{
    named_handler repo{"repo"};
    named_handler deep{"deep"};
    router r{"/prefix"};
    r.mount("/repo/", repo);
    r.mount("/repo/deep/", deep);
    r.add("GET", "/repo/exact", answering("exact"));
    EXPECT_EQ(ask(r, "GET", "/prefix/repo/x").body, "repo GET /x");
    EXPECT_EQ(ask(r, "PUT", "/prefix/repo/x/y/").body, "repo PUT /x/y/");
    EXPECT_EQ(ask(r, "GET", "/prefix/repo/").body, "repo GET /");
    EXPECT_EQ(ask(r, "GET", "/prefix/repo/deep/z").body, "deep GET /z");
    EXPECT_EQ(ask(r, "GET", "/prefix/repo/exact").body, "exact GET /repo/exact");
    EXPECT_EQ(ask(r, "GET", "/prefix/repo").status, 404);
    EXPECT_EQ(ask(r, "GET", "/repo/x").status, 404);
}

} // namespace
} // namespace xentz::http
