// How a database is brought up to date, on each engine.
#include "support/databases.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace xentz::sql {
namespace {

using test::engine;
using testing::HasSubstr;
using scripts = std::vector<database::script>;

const scripts& three()
{
    static const scripts out{
        {"0001_one",
         "-- first\ncreate table one (n bigint);\ninsert into one values (1);\n-- a last comment; really\n"},
        {"0002_two", "alter table one add column name text; create index one_name on one (name);"},
        {"0003_three", "create table three (n bigint); insert into three select n from one"},
    };
    return out;
}

class migration_test : public testing::TestWithParam<engine> {
protected:
    std::vector<std::string> applied()
    {
        return db->read([](connection& c) {
            std::vector<std::string> out;
            const auto rows = c.query("select name from schema_migrations order by version");
            for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.get<std::string>(i, 0));
            return out;
        });
    }
    std::string refusal(const scripts& s)
    {
        try {
            db->migrate(s);
        } catch (const error& e) {
            return e.what();
        }
        return {};
    }

    test::fresh_database fresh{GetParam()};
    std::shared_ptr<database> db = open_database(fresh.address());
};

TEST_P(migration_test, applies_each_script_once_and_in_order)
{
    const auto before = std::chrono::system_clock::now() - std::chrono::seconds{2};
    db->migrate({three().front()});
    db->migrate(three());
    db->migrate(three());
    EXPECT_EQ(applied(), (std::vector<std::string>{"0001_one", "0002_two", "0003_three"}));
    const auto rows = db->read([](connection& c) { return c.query("select n from three"); });
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows.get<int>(0, 0), 1);
    const auto at = db->read(
        [](connection& c) { return c.query("select min(applied_at), max(applied_at) from schema_migrations"); });
    EXPECT_GE(at.get<base::time_point>(0, 0), before);
    EXPECT_LE(at.get<base::time_point>(0, 1), std::chrono::system_clock::now() + std::chrono::seconds{2});
}

TEST_P(migration_test, applies_each_script_once_though_many_begin_at_once)
{
    std::vector<std::jthread> threads;
    std::vector<std::string> failures(6);
    for (std::size_t t = 0; t < failures.size(); ++t) {
        threads.emplace_back([&, t] {
            try {
                open_database(fresh.address())->migrate(three());
            } catch (const std::exception& e) {
                failures[t] = e.what();
            }
        });
    }
    threads.clear();
    EXPECT_THAT(failures, testing::Each(""));
    EXPECT_EQ(applied().size(), 3u);
}

TEST_P(migration_test, a_failing_script_leaves_nothing_of_itself)
{
    scripts broken = three();
    broken[1].text = "create table half (n bigint); select nonsense from nowhere;";
    EXPECT_THAT(refusal(broken), HasSubstr("database failed"));
    EXPECT_EQ(applied(), std::vector<std::string>{"0001_one"});
    EXPECT_THROW(db->read([](connection& c) { c.query("select * from half"); }), error);
    db->migrate(three());
    EXPECT_EQ(applied().size(), 3u);
}

TEST_P(migration_test, refuses_a_newer_schema_and_changes_nothing)
{
    db->migrate(three());
    EXPECT_THAT(refusal({three()[0], three()[1]}), HasSubstr("newer schema"));
    EXPECT_THAT(refusal({}), HasSubstr("newer schema"));
    EXPECT_EQ(applied().size(), 3u);
}

TEST_P(migration_test, refuses_a_schema_of_another_program)
{
    db->migrate({{"0001_other", "create table other (n bigint)"}});
    EXPECT_THAT(refusal(three()), HasSubstr("not made by this program"));
    EXPECT_EQ(applied(), std::vector<std::string>{"0001_other"});
}

INSTANTIATE_TEST_SUITE_P(each, migration_test, testing::Values(engine::sqlite, engine::postgresql),
                         [](const auto& chosen) { return test::name(chosen.param); });

} // namespace
} // namespace xentz::sql
