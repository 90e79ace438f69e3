// What is particular to PostgreSQL: connections that get lost, transactions that have to be repeated, secrets in
// addresses.
#include "support/databases.hpp"

#include <gmock/gmock.h>

#include <latch>
#include <thread>

namespace xentz::sql {
namespace {

using test::engine;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class postgresql_test : public testing::Test {
protected:
    void SetUp() override
    {
        db->write([](connection& c) { c.query("create table t (name text primary key, n bigint not null)"); });
        db->write([](connection& c) { c.query("insert into t values ('a', 0), ('b', 0)"); });
    }

    // Ends the server's side of a connection, as a restart of the server does.
    void cut(int backend)
    {
        other->read([&](connection& c) { c.query("select pg_terminate_backend($1, 5000)", backend); });
    }
    static int backend_of(connection& c) { return c.query("select pg_backend_pid()").get<int>(0, 0); }
    static void raise(connection& c, std::string_view name) { c.query("update t set n = n + 1 where name = $1", name); }
    std::int64_t n(std::string_view name)
    {
        return db->read(
            [&](connection& c) { return c.query("select n from t where name = $1", name).get<std::int64_t>(0, 0); });
    }

    test::fresh_database fresh{engine::postgresql};
    std::shared_ptr<database> db = open_database(fresh.address());
    std::shared_ptr<database> other = open_database(fresh.address());
};

TEST_F(postgresql_test, repeats_once_when_the_connection_is_lost_before_the_commit)
{
    int runs = 0;
    db->write([&](connection& c) {
        raise(c, "a");
        if (++runs == 1) cut(backend_of(c));
        raise(c, "a");
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(n("a"), 2);
}

TEST_F(postgresql_test, gives_up_when_the_connection_is_lost_again)
{
    int runs = 0;
    try {
        db->write([&](connection& c) {
            ++runs;
            cut(backend_of(c));
            raise(c, "a");
        });
        FAIL();
    } catch (const error& e) {
        EXPECT_EQ(e.code, errc::connection_lost);
    }
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(n("a"), 0);
}

TEST_F(postgresql_test, never_repeats_a_commit_whose_answer_was_lost)
{
    int runs = 0;
    try {
        db->write([&](connection& c) {
            ++runs;
            raise(c, "a");
            cut(backend_of(c));
        });
        FAIL();
    } catch (const error& e) {
        EXPECT_EQ(e.code, errc::connection_lost);
    }
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(n("a"), 0);
}

TEST_F(postgresql_test, a_restart_of_the_server_is_not_noticed_by_who_comes_later)
{
    constexpr int together = 3;
    std::latch all_open(together);
    std::vector<int> backends(together);
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < backends.size(); ++t) {
        threads.emplace_back([&, t] {
            db->read([&](connection& c) {
                backends[t] = backend_of(c);
                all_open.arrive_and_wait();
            });
        });
    }
    threads.clear();
    for (const int backend : backends) cut(backend);
    for (int i = 0; i < together; ++i) EXPECT_NO_THROW(n("a"));
}

TEST_F(postgresql_test, repeats_after_a_serialisation_failure)
{
    int runs = 0;
    db->write([&](connection& c) {
        c.query("set transaction isolation level repeatable read");
        c.query("select * from t");
        if (++runs == 1) other->write([](connection& o) { raise(o, "a"); });
        raise(c, "a");
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(n("a"), 2);
}

TEST_F(postgresql_test, repeats_after_a_deadlock)
{
    std::latch both_hold_one(2);
    std::atomic<int> runs = 0;
    const auto both = [&](std::string_view first, std::string_view second) {
        bool waited = false;
        db->write([&](connection& c) {
            ++runs;
            raise(c, first);
            if (!std::exchange(waited, true)) both_hold_one.arrive_and_wait();
            raise(c, second);
        });
    };
    std::jthread one([&] { both("a", "b"); });
    both("b", "a");
    one.join();
    EXPECT_GE(runs, 3) << "on a busy machine the second try may meet the other one again";
    EXPECT_EQ(n("a"), 2);
    EXPECT_EQ(n("b"), 2);
}

TEST_F(postgresql_test, limits_how_long_a_statement_may_take)
{
    const auto limit = [](database& d) {
        return d.read([](connection& c) { return c.query("show statement_timeout").get<std::string>(0, 0); });
    };
    EXPECT_EQ(limit(*db), "30s");
    db->migrate({{"0001_slow", "create table limit_seen as select current_setting('statement_timeout') as v"}});
    EXPECT_EQ(db->read([](connection& c) { return c.query("select v from limit_seen").get<std::string>(0, 0); }), "0");
    EXPECT_EQ(limit(*db), "30s");
}

TEST_F(postgresql_test, prints_no_notices)
{
    testing::internal::CaptureStderr();
    db->write([](connection& c) { c.query("create table if not exists t (name text)"); });
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(postgresql_test, quotes_no_value_in_a_message)
{
    try {
        db->read([](connection& c) { c.query("select cast($1 as text)::bigint", "hunter22"); });
        FAIL();
    } catch (const error& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr("does not fit"), Not(HasSubstr("hunter22"))));
    }
}

TEST_F(postgresql_test, says_why_it_cannot_connect_but_not_the_password)
{
    const auto& url = fresh.address();
    const auto colon = url.find(':', url.find("://") + 3);
    const auto at = url.find('@');
    const auto password = url.substr(colon + 1, at - colon - 1);
    struct wrong_address {
        std::string url;
        std::string reason;
    };
    for (const auto& [wrong, reason] : std::vector<wrong_address>{
             {url.substr(0, colon + 1) + "hunter22" + url.substr(at), "password authentication failed"},
             {url + "_absent", "does not exist"},
             {"postgresql://xentz:hunter22@127.0.0.1:1/fleet", "Connection refused"},
         }) {
        try {
            open_database(wrong);
            FAIL() << reason;
        } catch (const error& e) {
            EXPECT_EQ(e.code, errc::connection_lost);
            EXPECT_THAT(e.what(), AllOf(HasSubstr("cannot connect"), HasSubstr(reason), Not(HasSubstr("hunter22")),
                                        Not(HasSubstr(password)), Not(HasSubstr("\n"))));
        }
    }
}

TEST(postgresql_address, pieces_of_an_unescaped_password_are_never_repeated)
{
    for (const auto* password :
         {"hun@ter22", "hun/ter22", "12/hunter22", "hun/t?er22", "h:u@n/ter22", "100%ter22", "hun?ter22@x", "[ter22"}) {
        for (const auto* rest : {"@127.0.0.1:1/fleet", "@127.0.0.1/fleet"}) {
            try {
                open_postgresql("postgresql://xentz:" + std::string{password} + rest);
                FAIL() << password;
            } catch (const error& e) {
                EXPECT_THAT(e.what(), Not(HasSubstr("ter22"))) << password;
                EXPECT_THAT(e.what(), Not(HasSubstr("hun"))) << password;
            }
        }
    }
}

TEST(postgresql_address, says_how_to_escape)
{
    try {
        open_postgresql("postgresql://xentz:hun@ter22@127.0.0.1:1/fleet");
        FAIL();
    } catch (const error& e) {
        EXPECT_THAT(e.what(), HasSubstr("%40"));
    }
}

} // namespace
} // namespace xentz::sql
