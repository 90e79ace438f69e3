// What is particular to SQLite: a file that only its owner reads, and commits that survive.
#include "support/databases.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <latch>
#include <sys/stat.h>
#include <thread>

namespace xentz::sql {
namespace {

using test::engine;
using testing::HasSubstr;

class sqlite_test : public testing::Test {
protected:
    void make_table()
    {
        db->write([](connection& c) { c.query("create table t (n bigint)"); });
    }
    static void add(database& d)
    {
        d.write([](connection& c) { c.query("insert into t values (1)"); });
    }
    static int count(database& d)
    {
        return d.read([](connection& c) { return c.query("select count(*) from t").get<int>(0, 0); });
    }

    test::fresh_database fresh{engine::sqlite};
    std::shared_ptr<database> db = open_database(fresh.address());
};

TEST_F(sqlite_test, every_connection_waits_for_the_disk_and_checks_references)
{
    constexpr int together = 5;
    std::latch all_open(together);
    std::vector<std::string> seen(together);
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < seen.size(); ++t) {
        threads.emplace_back([&, t] {
            db->read([&](connection& c) {
                all_open.arrive_and_wait(); // so that each thread has a connection of its own
                for (const auto* pragma : {"pragma synchronous", "pragma journal_mode", "pragma foreign_keys"}) {
                    seen[t] += c.query(pragma).get<std::string>(0, 0) + " ";
                }
            });
        });
    }
    threads.clear();
    EXPECT_THAT(seen, testing::Each("2 wal 1 "));
    EXPECT_EQ(db->write([](connection& c) { return c.query("pragma synchronous").get<int>(0, 0); }), 2);
}

TEST_F(sqlite_test, only_the_owner_can_read_the_files)
{
    make_table();
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(fresh.file().parent_path())) {
        struct stat status{};
        ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777u, 0600u) << entry.path();
        ++files;
    }
    EXPECT_EQ(files, 3); // the database, its log, its index
}

TEST_F(sqlite_test, a_commit_outlives_the_database_object)
{
    make_table();
    add(*db);
    db.reset();
    EXPECT_EQ(count(*open_database(fresh.address())), 1);
}

TEST_F(sqlite_test, a_commit_is_seen_by_another_process_and_survives_a_kill)
{
    make_table();
    add(*db);
    db.reset(); // no connection may be carried over a fork
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        bool sound = false;
        try {
            const auto own = open_database(fresh.address());
            sound = count(*own) == 1;
            add(*own);
            if (sound) ::raise(SIGKILL);
        } catch (const std::exception&) {
            sound = false;
        }
        ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child did not see the row";
    EXPECT_EQ(count(*open_database(fresh.address())), 2);
}

TEST_F(sqlite_test, a_writer_waits_for_a_writer_of_another_process)
{
    make_table();
    const auto other = open_database(fresh.address()); // its writers take no turns with those of `db`
    std::latch writing(1);
    std::jthread first([&] {
        other->write([&](connection& c) {
            c.query("insert into t values (1)");
            writing.count_down();
            std::this_thread::sleep_for(std::chrono::milliseconds{300});
        });
    });
    writing.wait();
    EXPECT_EQ(count(*db), 0) << "a reader sees what is committed, and does not wait";
    add(*db);
    EXPECT_EQ(count(*db), 2);
}

TEST_F(sqlite_test, a_transaction_that_reads_before_it_writes_runs_once)
{
    make_table();
    const auto other = open_database(fresh.address());
    int runs = 0;
    std::jthread second;
    db->write([&](connection& c) {
        ++runs;
        c.query("select count(*) from t");
        if (runs == 1) second = std::jthread([&] { add(*other); });
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
        c.query("insert into t values (1)");
    });
    second.join();
    EXPECT_EQ(runs, 1) << "another writer came in between";
    EXPECT_EQ(count(*db), 2);
}

TEST_F(sqlite_test, writers_that_wait_keep_no_connection_from_readers)
{
    make_table();
    const auto small = open_database(fresh.address(), {.connections = 2, .longest_wait = std::chrono::seconds{2}});
    std::latch writing(1);
    std::latch read(1);
    std::vector<std::jthread> writers;
    writers.emplace_back([&] {
        small->write([&](connection& c) {
            c.query("insert into t values (1)");
            writing.count_down();
            read.wait();
        });
    });
    writing.wait();
    for (int i = 0; i < 3; ++i) writers.emplace_back([&] { add(*small); });
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    EXPECT_NO_THROW(EXPECT_EQ(count(*small), 0));
    read.count_down();
    writers.clear();
    EXPECT_EQ(count(*small), 4);
}

TEST_F(sqlite_test, opening_waits_for_who_is_in_the_way_of_the_write_ahead_log)
{
    db.reset();
    const auto writer = open_sqlite(fresh.file().string());
    writer->run_script("create table t (n bigint); pragma journal_mode = delete; begin immediate");
    std::jthread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
        writer->run_script("commit");
    });
    EXPECT_NO_THROW(add(*open_database(fresh.address())));
}

TEST_F(sqlite_test, a_folder_that_is_not_there_is_named)
{
    try {
        open_database("sqlite:/nonexistent/folder/fleet.db");
        FAIL();
    } catch (const error& e) {
        EXPECT_THAT(e.what(), HasSubstr("/nonexistent/folder/fleet.db: No such file or directory"));
    }
}

TEST_F(sqlite_test, a_file_that_is_no_database_is_refused_and_kept)
{
    const auto file = fresh.file().parent_path() / "letter.txt";
    std::ofstream(file) << std::string(5000, 'a');
    EXPECT_THROW(open_database("sqlite:" + file.string()), error);
    EXPECT_EQ(std::filesystem::file_size(file), 5000u);
}

TEST_F(sqlite_test, bytes_are_not_taken_for_text)
{
    EXPECT_THROW(db->read([](connection& c) { c.query("select x'00ff'"); }), error);
}

} // namespace
} // namespace xentz::sql
