#include "repo/memory_blob_store.hpp"
#include "repo/rest_handler.hpp"
#include "unit/repo/rest_support.hpp"

#include <gtest/gtest.h>

namespace xentz::repo {
namespace {

using namespace testing_support;
using enum protection;
using enum operation;
using enum object_type;

constexpr std::array all_types{config, data, keys, locks, snapshots, object_type::index};

TEST(rights, every_credential_reads_everything_and_writes_locks)
{
    for (const auto p : {full, append_only, guarded})
        for (const auto c : {credential::normal, credential::read_only, credential::maintenance}) {
            for (const auto t : all_types) EXPECT_EQ(judge(p, c, {read, t, true}), verdict::allowed);
            for (const auto what : {store, operation::remove})
                EXPECT_EQ(judge(p, c, {what, locks, true}), verdict::allowed);
        }
}

TEST(rights, a_read_only_credential_changes_nothing)
{
    for (const auto p : {full, append_only, guarded}) {
        for (const auto t : {config, data, keys, snapshots, object_type::index})
            for (const auto what : {store, operation::remove})
                EXPECT_EQ(judge(p, credential::read_only, {what, t, true}), verdict::read_only);
        EXPECT_EQ(judge(p, credential::read_only, {create, config, false}), verdict::read_only);
    }
}

TEST(rights, append_only_removes_nothing_and_keeps_its_keys)
{
    for (const auto t : {config, data, keys, snapshots, object_type::index}) {
        EXPECT_EQ(judge(append_only, credential::normal, {operation::remove, t, true}), verdict::append_only);
        EXPECT_EQ(judge(append_only, credential::maintenance, {operation::remove, t, true}), verdict::allowed);
        EXPECT_EQ(judge(full, credential::normal, {operation::remove, t, true}), verdict::allowed);
        EXPECT_EQ(judge(guarded, credential::normal, {operation::remove, t, true}), verdict::allowed);
        EXPECT_EQ(judge(append_only, credential::normal, {store, t, true}),
                  t == keys ? verdict::append_only : verdict::allowed);
        EXPECT_EQ(judge(append_only, credential::maintenance, {store, t, true}), verdict::allowed);
        EXPECT_EQ(judge(append_only, credential::normal, {store, t, false}), verdict::allowed) << "as init does";
    }
}

TEST(rights, protections_have_names)
{
    for (const auto p : {full, append_only, guarded}) EXPECT_EQ(parse_protection(name(p)), p);
    EXPECT_FALSE(parse_protection("none"));
}

struct rights_over_http : testing::Test {
    memory_blob_store store;
    fake_ledger book;
    memory_log log;
    rest_handler handler{store, book, log, {.most_object_bytes = 100'000, .most_small_bytes = 1000}};

    void open(protection p, credential c)
    {
        book.rows = {{{"ten_1", "dev_1", "default"}, "dev_1", "secret one", {"repo_1", true, p, c}}};
    }
    answer send(const std::string& method, const std::string& rest, std::optional<std::string> body = {})
    {
        return testing_support::asked(handler, {.method = method, .rest = rest, .body = std::move(body)});
    }
    void SetUp() override
    {
        open(full, credential::normal);
        ASSERT_TRUE(store.create_repository("repo_1"));
        auto in = store.receive({"repo_1", config, ""}, 6);
        ASSERT_TRUE((*in)->write(std::span{"config", 6}));
        ASSERT_TRUE((*in)->commit());
    }
};

TEST_F(rights_over_http, what_is_forbidden_is_403_with_its_name)
{
    open(append_only, credential::normal);
    const auto pack = "data/" + name_of("pack");
    EXPECT_EQ(send("POST", pack, "pack").status, 200);
    EXPECT_EQ(send("POST", pack, "pack").status, 200) << "again, after a lost answer";
    for (const auto& rest : {pack, std::string{"config"}, "keys/" + name_of("key")}) {
        const auto a = send("DELETE", rest);
        EXPECT_EQ(a.status, 403);
        EXPECT_EQ(a.problem(), "append-only");
    }
    EXPECT_EQ(send("POST", "keys/" + name_of("key"), "key").problem(), "append-only");
    EXPECT_EQ(send("POST", "locks/" + name_of("lock"), "lock").status, 200);
    EXPECT_EQ(send("DELETE", "locks/" + name_of("lock")).status, 200);
    EXPECT_EQ(send("GET", pack).status, 200);

    open(full, credential::read_only);
    EXPECT_EQ(send("DELETE", pack).problem(), "read-only");
    EXPECT_EQ(send("POST", "data/" + name_of("more"), "more").problem(), "read-only");
    EXPECT_EQ(send("POST", "?create=true", "").problem(), "read-only");
    EXPECT_EQ(send("GET", pack).status, 200);
    EXPECT_EQ(send("HEAD", "config").status, 200);
    EXPECT_EQ(send("GET", "data/").status, 200);

    open(append_only, credential::maintenance);
    EXPECT_EQ(send("DELETE", pack).status, 200);
}

} // namespace
} // namespace xentz::repo
