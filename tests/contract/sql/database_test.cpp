// What every database behind sql::database does, on each engine.
#include "fixture.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <limits>
#include <thread>

namespace xentz::sql {
namespace {

using testing::HasSubstr;

TEST_P(database_test, stores_and_reads_described_rows)
{
    const std::vector<item> rows{
        {"", std::numeric_limits<std::int64_t>::min(), "", true, base::time_point::min()},
        {"'; drop table item; --", -1, "\"quoted\" \\ back\\slash %s $1 ?", false, base::time_point{}},
        {"caf\u00e9 \u65e5\u672c \U0001F5C4 \u202e", 0, std::string(3'000'000, 'x') + "\u20ac", true,
         base::time_point{std::chrono::microseconds{1}}},
        {"line\nbreak\ttab\x01", std::numeric_limits<std::int64_t>::max(), std::nullopt, false,
         base::time_point::max()},
    };
    db->write([&](connection& c) {
        for (const auto& row : rows) c.insert("item", row);
    });
    EXPECT_EQ(db->read([](connection& c) { return c.select<item>("from item order by amount"); }), rows);
}

TEST_P(database_test, takes_ids_views_and_optionals_as_arguments)
{
    add("item_1", 5);
    const base::id<item_tag> id{"item_1"};
    const auto found = db->read([&](connection& c) {
        return c.query("select name, amount, note from item where name = $1 and amount = $2 and amount = $2", id,
                       std::optional<std::int64_t>{5});
    });
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found.get<base::id<item_tag>>(0, 0), id);
    EXPECT_EQ(found.get<std::optional<int>>(0, 1), 5);
    EXPECT_EQ(found.get<std::optional<std::string>>(0, 2), std::nullopt);
    const std::string_view note = "noted";
    db->write([&](connection& c) { c.query("update item set note = $1 where name = $2", note, id); });
    db->write([&](connection& c) { c.query("update item set note = $1 where name = $2", std::nullopt, "other"); });
    EXPECT_EQ(db->read([&](connection& c) { return c.find<item>("from item where name = $1", id); })->note, "noted");
}

TEST_P(database_test, reads_aggregates_reals_and_comparisons)
{
    add("a", std::int64_t{1} << 40);
    add("b", 2);
    const auto row = db->read([](connection& c) {
        return c.query("select sum(amount) as total, cast($1 as double precision) as share, count(*) = 2 as all_there, "
                       "sum(amount) > 5 and count(*) = 3 as none from item",
                       0.1);
    });
    EXPECT_EQ(row.get<std::int64_t>(0, 0), (std::int64_t{1} << 40) + 2);
    EXPECT_DOUBLE_EQ(row.get<double>(0, 1), 0.1);
    EXPECT_TRUE(row.get<bool>(0, 2));
    EXPECT_FALSE(row.get<bool>(0, 3));
    EXPECT_EQ(row.columns, (std::vector<std::string>{"total", "share", "all_there", "none"}));
}

TEST_P(database_test, finds_nothing_where_there_is_nothing)
{
    EXPECT_EQ(db->read([](connection& c) { return c.find<item>("from item where name = $1", "absent"); }),
              std::nullopt);
}

TEST_P(database_test, refuses_text_that_postgresql_cannot_hold)
{
    using namespace std::string_literals;
    for (const auto& text : {"nul\0byte"s, "cut\xc3"s, "\xc0\xaf"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s, "\x80"s,
                             "\xe2\x28\xa1"s, "\xf0\x8f\xbf\xbf"s, "\xff"s, "\xe2\x82("s}) {
        EXPECT_EQ(code_thrown_by([&] { add(text); }), errc::invalid_text) << testing::PrintToString(text);
    }
    EXPECT_EQ(count(), 0);
    for (const auto* text : {"\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
        add(text);
    }
    EXPECT_EQ(count(), 8);
}

TEST_P(database_test, an_exception_rolls_back_and_travels_on)
{
    EXPECT_THROW(db->write([](connection& c) {
        c.insert("item", item{.name = "lost", .note = {}});
        throw std::domain_error("of the caller");
    }),
                 std::domain_error);
    EXPECT_EQ(count(), 0);
    add("kept");
    EXPECT_EQ(count(), 1);
}

TEST_P(database_test, names_a_unique_violation_without_its_value)
{
    add("secret-value");
    try {
        add("secret-value");
        FAIL() << "stored twice";
    } catch (const error& e) {
        EXPECT_EQ(e.code, errc::unique_violation);
        EXPECT_THAT(e.what(), Not(HasSubstr("secret-value")));
    }
}

TEST_P(database_test, names_a_foreign_key_violation)
{
    db->migrate(
        {{"0001_item", schema}, {"0002_part", "create table part (item text not null references item (name))"}});
    EXPECT_EQ(code_thrown_by([&] { db->write([](connection& c) { c.query("insert into part values ('none')"); }); }),
              errc::foreign_key_violation);
    add("a");
    db->write([](connection& c) { c.query("insert into part values ('a')"); });
    EXPECT_EQ(code_thrown_by([&] { db->write([](connection& c) { c.query("delete from item"); }); }),
              errc::foreign_key_violation);
}

TEST_P(database_test, a_transaction_with_a_failed_statement_is_not_stored)
{
    add("there");
    const auto swallow = [&](connection& c) {
        c.insert("item", item{.name = "new", .note = {}});
        EXPECT_EQ(code_thrown_by([&] { c.insert("item", item{.name = "there", .note = {}}); }), errc::unique_violation);
    };
    EXPECT_EQ(code_thrown_by([&] { db->write(swallow); }), errc::other);
    EXPECT_EQ(code_thrown_by([&] {
                  db->write([&](connection& c) {
                      swallow(c);
                      EXPECT_EQ(code_thrown_by([&] { c.query("select 1"); }), errc::other);
                  });
              }),
              errc::other);
    EXPECT_EQ(count(), 1);
}

TEST_P(database_test, reading_refuses_a_change)
{
    const auto change = [](connection& c) { c.query("insert into item values ('x', 0, null, 0, 0)"); };
    EXPECT_EQ(code_thrown_by([&] { db->read(change); }), errc::other);
    EXPECT_EQ(count(), 0);
    db->write(change);
    EXPECT_EQ(count(), 1);
}

TEST_P(database_test, reading_is_one_consistent_view)
{
    add("a");
    const auto seen = db->read([&](connection& c) {
        const auto before = c.query("select count(*) from item").get<int>(0, 0);
        std::thread([&] { add("b"); }).join();
        return std::pair{before, c.query("select count(*) from item").get<int>(0, 0)};
    });
    EXPECT_EQ(seen, std::pair(1, 1));
    EXPECT_EQ(count(), 2);
}

TEST_P(database_test, writers_in_many_threads_lose_nothing)
{
    add("sum");
    const auto second = open_database(fresh.address());
    std::vector<std::jthread> threads;
    for (int t = 0; t < 20; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 10; ++i) {
                (t % 2 ? db : second)->write([](connection& c) {
                    c.query("update item set amount = amount + 1 where name = $1", "sum");
                });
                db->read([](connection& c) { c.query("select * from item"); });
            }
        });
    }
    threads.clear();
    EXPECT_EQ(amount_of("sum"), 200);
}

TEST_P(database_test, runs_again_what_the_engine_was_too_busy_for)
{
    int runs = 0;
    db->write([&](connection& c) {
        c.insert("item", item{.name = "once", .note = {}});
        if (++runs < 3) throw error(errc::busy, "try again");
    });
    EXPECT_EQ(runs, 3);
    EXPECT_EQ(count(), 1);
}

TEST_P(database_test, gives_up_on_an_engine_that_stays_busy)
{
    int runs = 0;
    EXPECT_EQ(code_thrown_by([&] {
                  db->write([&](connection&) {
                      ++runs;
                      throw error(errc::busy, "try again");
                  });
              }),
              errc::busy);
    EXPECT_EQ(runs, 5);
}

TEST_P(database_test, repeats_nothing_after_any_other_error)
{
    int runs = 0;
    EXPECT_EQ(code_thrown_by([&] {
                  db->write([&](connection& c) {
                      ++runs;
                      c.query("select nonsense from nowhere");
                  });
              }),
              errc::other);
    EXPECT_EQ(runs, 1);
}

TEST_P(database_test, a_wrong_number_of_arguments_is_an_error)
{
    add("a");
    EXPECT_EQ(code_thrown_by([&] { db->read([](connection& c) { c.query("select 1 from item where name = $1"); }); }),
              errc::other);
    EXPECT_EQ(code_thrown_by(
                  [&] { db->read([](connection& c) { c.query("select 1 from item where name = $1", "a", "b"); }); }),
              errc::other);
}

TEST_P(database_test, a_query_is_one_statement)
{
    EXPECT_EQ(code_thrown_by([&] { db->write([](connection& c) { c.query("select 1; delete from item"); }); }),
              errc::other);
    db->read([](connection& c) { c.query("select 1;\n"); });
}

TEST_P(database_test, a_connection_is_waited_for_and_not_for_ever)
{
    const auto small = open_database(fresh.address(), {.connections = 1, .longest_wait = std::chrono::seconds{1}});
    std::optional<errc> while_in_use;
    small->read([&](connection&) {
        std::thread([&] {
            while_in_use = code_thrown_by([&] { small->read([](connection& c) { c.query("select 1"); }); });
        }).join();
    });
    EXPECT_EQ(while_in_use, errc::other);
    std::atomic<int> done = 0;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            small->read([](connection& c) { c.query("select 1"); });
            ++done;
        });
    }
    threads.clear();
    EXPECT_EQ(done, 8);
}

INSTANTIATE_TEST_SUITE_P(each, database_test, testing::Values(engine::sqlite, engine::postgresql),
                         [](const auto& chosen) { return test::name(chosen.param); });

TEST(open_database, refuses_other_addresses_without_repeating_them)
{
    for (const auto* address : {"", "mysql://root:hunter22@host/db", "sqlite:", "hunter22"}) {
        try {
            open_database(address);
            FAIL() << address;
        } catch (const error& e) {
            EXPECT_THAT(e.what(), HasSubstr("sqlite:FILE"));
            EXPECT_THAT(e.what(), Not(HasSubstr("hunter22")));
        }
    }
}

} // namespace
} // namespace xentz::sql
