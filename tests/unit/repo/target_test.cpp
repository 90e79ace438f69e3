#include "repo/target.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <filesystem>

namespace xentz::repo {
namespace {

const std::string hash(64, 'a');

TEST(address, is_three_segments_each_ended_by_a_slash)
{
    const auto at = parse_address("/ten_01/dev_02/default/data/xyz");
    ASSERT_TRUE(at);
    EXPECT_EQ(at->where, (address{"ten_01", "dev_02", "default"}));
    EXPECT_EQ(at->rest, "data/xyz");
    EXPECT_EQ(parse_address("/a.b/c-d/e_f/")->rest, "");
}

TEST(address, is_nothing_else)
{
    const std::string longest(64, 'x');
    EXPECT_TRUE(parse_address("/" + longest + "/b/c/"));
    for (const auto* path : {"",           "/",         "a/b/c/",         "/a/b",       "/a/b/",
                             "/a/b/c",     "//b/c/",    "/a//c/",         "/a/b//",     "/./b/c/",
                             "/../b/c/",   "/a/../c/",  "/a/b/../",       "/A/b/c/",    "/a%2fb/c/d/",
                             "/a%20/b/c/", "/a b/c/d/", "/\xc3\xa9/b/c/", "/a\\b/c/d/", "/a:b/c/d/"})
        EXPECT_FALSE(parse_address(path)) << path;
    EXPECT_FALSE(parse_address("/" + longest + "x/b/c/"));
    EXPECT_FALSE(parse_address(std::string_view{"/a\0/b/c/", 8}));
}

TEST(resource, has_the_forms_of_the_protocol)
{
    EXPECT_EQ(parse_resource("").kind, resource_kind::repository);
    EXPECT_EQ(parse_resource("config").kind, resource_kind::config);
    for (const auto* type : {"data", "keys", "locks", "snapshots", "index"}) {
        const auto expected = parse_object_type(type);
        ASSERT_TRUE(expected);
        EXPECT_EQ(name(*expected), type);
        EXPECT_EQ(parse_resource(std::string{type} + "/"), (resource{resource_kind::list, *expected, ""}));
        EXPECT_EQ(parse_resource(type), (resource{resource_kind::list, *expected, ""}));
        EXPECT_EQ(parse_resource(std::string{type} + "/" + hash), (resource{resource_kind::object, *expected, hash}));
    }
}

TEST(resource, tells_bad_names_from_unknown_things)
{
    for (const auto& rest : {"data/short", "data/..", "data/../config", "keys//", "locks/x/y"})
        EXPECT_EQ(parse_resource(rest).kind, resource_kind::bad_name) << rest;
    EXPECT_EQ(parse_resource("data/" + hash + "/").kind, resource_kind::bad_name);
    EXPECT_EQ(parse_resource("data/" + hash + "a").kind, resource_kind::bad_name);
    EXPECT_EQ(parse_resource("data/aa/" + hash).kind, resource_kind::bad_name);
    EXPECT_EQ(parse_resource("data/" + std::string(64, 'A')).kind, resource_kind::bad_name);
    for (const auto& rest :
         {"config/", "config/x", "Data/", "datax/", "/", "/config", ".", "..", "../config", "storage.json"})
        EXPECT_EQ(parse_resource(rest).kind, resource_kind::unknown) << rest;
}

rc::Gen<std::string> nasty_path()
{
    const auto piece = rc::gen::element<std::string>(
        "/", "/", "/", "..", ".", "a", "ten_0", "dev_0123abcd", "default", "%2e%2e", "%2f", "%00", std::string(1, '\0'),
        "\\", "~", "data", "keys", "config", "locks/", "data/", std::string(64, 'a'), std::string(64, 'F'),
        std::string(65, 'b'), "//", "\n", "?", "#", " ");
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                        [](const std::vector<std::string>& pieces) {
                            std::string out = "/";
                            for (const auto& p : pieces) out += p;
                            return out;
                        });
}

// A path that has an address more often than chance would give.
rc::Gen<std::string> path_below_an_address()
{
    return rc::gen::map(nasty_path(), [](const std::string& tail) { return "/ten_0/dev_0/default" + tail; });
}

std::string spelled(const address& where, const resource& what)
{
    std::string out = "/" + where.tenant + "/" + where.device + "/" + where.user + "/";
    if (what.kind != resource_kind::repository) out += name(what.type);
    if (what.kind == resource_kind::list) out += "/";
    if (what.kind == resource_kind::object) out += "/" + what.name;
    return out;
}

void check_accepted(const std::string& path)
{
    const auto at = parse_address(path);
    if (!at) return;
    const auto what = parse_resource(at->rest);
    if (what.kind == resource_kind::unknown || what.kind == resource_kind::bad_name) return;
    // One spelling only: what was understood, written down again, is what came.
    const auto again = spelled(at->where, what);
    RC_ASSERT(path == again || path + "/" == again);
    // Nothing that a file system would understand as another place.
    const std::filesystem::path relative = std::filesystem::path{again}.relative_path();
    const auto below = std::filesystem::path{"/storage"} / relative;
    RC_ASSERT(below.lexically_normal() == below);
    for (const auto& part : relative) {
        RC_ASSERT(part != "..");
        RC_ASSERT(part != ".");
    }
    RC_ASSERT(std::ranges::all_of(again, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '/';
    }));
    RC_ASSERT(check_key({at->where.device, what.type, what.name}).has_value() || what.kind == resource_kind::list);
}

RC_GTEST_PROP(target, never_leaves_the_repository, ())
{
    check_accepted(*nasty_path());
    check_accepted(*path_below_an_address());
}

TEST(key, is_checked_again_by_the_stores)
{
    EXPECT_TRUE(check_key({"repo_1", object_type::config, ""}));
    EXPECT_TRUE(check_key({"repo_1", object_type::data, hash}));
    for (const auto& bad :
         {object_key{"repo_1", object_type::config, hash}, object_key{"repo_1", object_type::data, ""},
          object_key{"repo_1", object_type::data, "../" + hash.substr(3)}, object_key{"..", object_type::data, hash},
          object_key{"a/b", object_type::data, hash}, object_key{"", object_type::data, hash}}) {
        const auto checked = check_key(bad);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code, base::fault_code::invalid_value);
    }
}

} // namespace
} // namespace xentz::repo
