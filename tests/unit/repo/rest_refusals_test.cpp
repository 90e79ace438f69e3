// Who may not, what is not there, and what breaks.
#include "fakes/memory_files.hpp"
#include "repo/disk_blob_store.hpp"
#include "repo/memory_blob_store.hpp"
#include "repo/rest_handler.hpp"
#include "unit/repo/rest_support.hpp"

#include <gtest/gtest.h>

namespace xentz::repo {
namespace {

using namespace testing_support;
using base::fault_code;

const std::string some_bytes = "bytes of an object";
const std::string some_object = "data/" + name_of(some_bytes);

// On a disk in memory, with the first repository initialised and one object in it.
struct refusals : testing::Test {
    fakes::memory_files disk;
    std::unique_ptr<disk_blob_store> store;
    fake_ledger book;
    memory_log log;
    std::unique_ptr<rest_handler> handler;

    void SetUp() override
    {
        book.rows = {{{"ten_1", "dev_1", "default"}, "dev_1", "secret one", {"repo_1", false}},
                     {{"ten_1", "dev_1", "other"}, "dev_1", "secret three", {"repo_3", false}},
                     {{"ten_1", "dev_2", "default"}, "dev_2", "secret two", {"repo_2", false}}};
        ASSERT_TRUE(initialise_storage(disk, "/srv/backup", "storage_1"));
        auto opened = disk_blob_store::open(disk, "/srv/backup", "storage_1");
        ASSERT_TRUE(opened);
        store = std::move(*opened);
        handler = std::make_unique<rest_handler>(*store, book, log);
        ASSERT_EQ(send({.method = "POST", .rest = "?create=true"}).status, 200);
        ASSERT_EQ(send({.method = "POST", .rest = "config", .body = "the config"}).status, 200);
        ASSERT_EQ(send({.method = "POST", .rest = some_object, .body = some_bytes}).status, 200);
        log.warnings.clear();
    }

    answer send(const ask& q) { return asked(*handler, q); }

    static std::vector<ask> every_request()
    {
        return {{.method = "POST", .rest = "?create=true"},
                {.method = "HEAD", .rest = "config"},
                {.rest = "config"},
                {.method = "POST", .rest = "config", .body = "the config"},
                {.method = "DELETE", .rest = "config"},
                {.rest = "data/"},
                {.rest = "snapshots/"},
                {.method = "HEAD", .rest = some_object},
                {.rest = some_object},
                {.method = "POST", .rest = some_object, .body = some_bytes},
                {.method = "DELETE", .rest = some_object},
                {.rest = "nonsense"},
                {.method = "DELETE", .rest = ""}};
    }
};

TEST_F(refusals, nobody_enters_without_the_credentials_of_the_address)
{
    const auto before = disk.tree();
    std::vector<answer> answers;
    for (auto q : every_request()) {
        for (const auto* credentials : {"", "dev_1:wrong", "dev_1:", ":secret one", "dev_2:secret two",
                                        "dev_1:secret three", "dev_2:secret one", "secret one"}) {
            q.credentials = credentials;
            answers.push_back(send(q));
        }
        q.credentials = "dev_1:secret one";
        for (const auto* where :
             {"/ten_1/dev_2/default/", "/ten_1/dev_1/other/", "/ten_2/dev_1/default/", "/ten_1/nobody/default/"}) {
            q.where = where;
            answers.push_back(send(q));
        }
    }
    for (const auto& a : answers) {
        EXPECT_EQ(a.status, 401);
        EXPECT_EQ(a.problem(), "unauthorized");
        EXPECT_EQ(a.header("WWW-Authenticate"), "Basic realm=\"xentz\"");
        EXPECT_EQ(a.body, answers.front().body) << "all refusals have to look alike";
    }
    EXPECT_EQ(disk.tree(), before);
    EXPECT_EQ(log.warnings.size(), answers.size());
    EXPECT_FALSE(log.says("secret"));
    EXPECT_TRUE(log.says("ten_1/dev_2/default"));
}

TEST_F(refusals, a_revoked_device_is_out_at_once)
{
    book.rows.front().secret = "another";
    EXPECT_EQ(send({.rest = "config"}).status, 401);
}

TEST_F(refusals, a_missing_disk_is_no_empty_repository)
{
    disk.mount("/srv/backup", "/nothing");
    for (const auto& q : every_request()) {
        const auto a = send(q);
        EXPECT_EQ(a.status, 503) << q.method << " " << q.rest;
        EXPECT_EQ(a.problem(), "storage-unavailable");
        EXPECT_NE(a.header("Retry-After"), "");
        EXPECT_EQ(a.body.find("/srv"), std::string::npos) << "clients learn no paths";
    }
    EXPECT_TRUE(disk.tree().empty()) << "nothing may be written to the mount point";
    EXPECT_EQ(log.warnings.size(), every_request().size());
    EXPECT_TRUE(
        log.says("repository repo_1: GET config: 503 storage-unavailable: the storage at /srv/backup is not there: "
                 "storage.json is missing"));
    EXPECT_TRUE(book.initialised("repo_1"));
}

TEST_F(refusals, another_disk_is_not_taken_for_ours)
{
    ASSERT_TRUE(initialise_storage(disk, "/srv/other", "storage_2"));
    disk.put("/srv/other/repositories/repo_1/config", "an old config"); // a copy from long ago, for example
    const auto object = name_of(some_bytes);
    disk.put("/srv/other/repositories/repo_1/data/" + object.substr(0, 2) + "/" + object, some_bytes);
    disk.mount("/srv/backup", "/srv/other");
    for (const auto& q : every_request())
        EXPECT_EQ(send(q).problem(), "storage-unavailable") << q.method << " " << q.rest;
    EXPECT_TRUE(log.says("is another one (its id is storage_2, the database knows storage_1)"));
}

TEST_F(refusals, a_repository_that_was_initialised_does_not_turn_into_a_new_one)
{
    ASSERT_TRUE(disk.remove("/srv/backup/repositories/repo_1/config"));
    for (const auto& q : every_request()) {
        const auto a = send(q);
        EXPECT_EQ(a.status, 503) << q.method << " " << q.rest;
        EXPECT_EQ(a.problem(), "repository-unavailable");
        EXPECT_NE(a.body.find("repo_1"), std::string::npos);
        EXPECT_NE(a.header("Retry-After"), "");
    }
    EXPECT_TRUE(disk.tree().contains("/srv/backup/repositories/repo_1/data/" + name_of(some_bytes).substr(0, 2) + "/" +
                                     name_of(some_bytes)));
    ASSERT_TRUE(os::remove_all(disk, "/srv/backup/repositories/repo_1"));
    EXPECT_EQ(send({.method = "HEAD", .rest = "config"}).status, 503);
    disk.put("/srv/backup/repositories/repo_1/config", "the config");
    EXPECT_EQ(send({.method = "HEAD", .rest = "config"}).status, 200);
}

TEST_F(refusals, a_ledger_that_cannot_answer_is_503)
{
    book.broken = true;
    const auto a = send({.rest = "config"});
    EXPECT_EQ(a.status, 503);
    EXPECT_EQ(a.problem(), "database-unavailable");
    EXPECT_TRUE(log.says("the database is gone"));
}

TEST_F(refusals, a_full_disk_is_507_wherever_it_shows)
{
    const std::string bytes(5000, 'x');
    const ask q{.method = "POST", .rest = "data/" + name_of(bytes), .body = bytes};
    const auto before = disk.tree();
    int refused = 0;
    for (std::uint64_t n = 1;; ++n) {
        disk.fail_at(n, fault_code::disk_full);
        log.warnings.clear();
        const auto a = send(q);
        const bool done = disk.calls() < n;
        disk.heal();
        if (done) break;
        // While the storage's identity is read, or where the temporary file is removed, a full disk does not show.
        if (a.status != 507) continue;
        ++refused;
        EXPECT_EQ(a.problem(), "storage-full");
        EXPECT_FALSE(log.warnings.empty());
        if (disk.tree() != before) { // the bytes were in place when their folder could not be saved
            EXPECT_EQ(send({.rest = q.rest}).body, bytes);
            ASSERT_EQ(send({.method = "DELETE", .rest = q.rest}).status, 200);
        }
        EXPECT_EQ(disk.tree(), before);
    }
    EXPECT_GE(refused, 9); // create, five writes, sync, rename, sync of the folder
    EXPECT_EQ(send({.rest = q.rest}).body, bytes);
}

TEST_F(refusals, a_disk_that_fails_is_500_and_in_the_log)
{
    auto begun = handler->begin(head_of({.method = "POST", .rest = some_object, .body = some_bytes}));
    disk.fail_at(1, fault_code::file_failed);
    const auto a = played(std::move(begun), some_bytes);
    EXPECT_EQ(a.status, 500);
    EXPECT_EQ(a.problem(), "storage-failed");
    EXPECT_EQ(a.body.find("/srv"), std::string::npos);
    ASSERT_EQ(log.warnings.size(), 1U);
    EXPECT_NE(
        log.warnings.front().find("repository repo_1: POST " + some_object + ": cannot write /srv/backup/incoming/"),
        std::string::npos)
        << log.warnings.front();
}

TEST_F(refusals, an_answer_that_cannot_go_on_breaks_off)
{
    auto object = std::get<http::response>(handler->begin(head_of({.rest = some_object})));
    disk.fail_at(1, fault_code::file_failed);
    EXPECT_TRUE(drained(std::move(object)).broke_off);
    EXPECT_TRUE(log.says("repository repo_1: GET " + some_object));

    auto list = std::get<http::response>(handler->begin(head_of({.rest = "data/"})));
    disk.fail_at(100, fault_code::file_failed);
    EXPECT_TRUE(drained(std::move(list)).broke_off);
    EXPECT_TRUE(log.says("repository repo_1: GET data/"));
}

TEST_F(refusals, a_list_does_not_end_early_where_the_disk_goes_away)
{
    auto list = std::get<http::response>(handler->begin(head_of({.rest = "data/"})));
    disk.mount("/srv/backup", "/nothing");
    EXPECT_TRUE(drained(std::move(list)).broke_off);
}

TEST_F(refusals, an_object_that_was_cut_short_on_the_disk_breaks_off)
{
    auto object = std::get<http::response>(handler->begin(head_of({.rest = some_object})));
    disk.put("/srv/backup/repositories/repo_1/data/" + name_of(some_bytes).substr(0, 2) + "/" + name_of(some_bytes),
             "bytes");
    const auto a = drained(std::move(object));
    EXPECT_TRUE(a.broke_off);
    EXPECT_EQ(a.body, "bytes");
    // Sent again, it is whole again.
    EXPECT_EQ(send({.method = "POST", .rest = some_object, .body = some_bytes}).status, 200);
    EXPECT_EQ(send({.rest = some_object}).body, some_bytes);
}

TEST_F(refusals, a_repository_of_another_device_is_untouched)
{
    const auto mine = disk.tree();
    ask q{
        .method = "POST", .rest = "?create=true", .where = "/ten_1/dev_2/default/", .credentials = "dev_2:secret two"};
    ASSERT_EQ(send(q).status, 200);
    q.rest = some_object;
    q.body = some_bytes;
    ASSERT_EQ(send(q).status, 200);
    q.method = "DELETE";
    ASSERT_EQ(send(q).status, 200);
    EXPECT_EQ(disk.tree(), mine);
    EXPECT_EQ(send({.rest = some_object}).body, some_bytes);
}

} // namespace
} // namespace xentz::repo
