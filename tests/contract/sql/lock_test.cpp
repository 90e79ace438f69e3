// Advisory locks of a database, on each engine.
#include "support/databases.hpp"

#include <gtest/gtest.h>

namespace xentz::sql {
namespace {

using test::engine;

class lock_test : public testing::TestWithParam<engine> {
protected:
    test::fresh_database fresh{GetParam()};
    std::shared_ptr<database> one = open_database(fresh.address());
    std::shared_ptr<database> other = open_database(fresh.address());
};

INSTANTIATE_TEST_SUITE_P(each, lock_test, testing::Values(engine::sqlite, engine::postgresql),
                         [](const auto& chosen) { return test::name(chosen.param); });

TEST_P(lock_test, has_one_holder_at_a_time)
{
    auto held = one->try_lock("work");
    ASSERT_TRUE(held);
    EXPECT_TRUE(held->held());
    EXPECT_FALSE(other->try_lock("work"));
    EXPECT_FALSE(one->try_lock("work")) << "not even within the process that holds it";
    EXPECT_TRUE(other->try_lock("other-work"));
    held.reset();
    EXPECT_TRUE(other->try_lock("work"));
}

TEST_P(lock_test, lasts_while_its_holder_does_other_things)
{
    const auto held = one->try_lock("work");
    for (int i = 0; i < 40; ++i) one->write([](connection& c) { c.query("select 1"); });
    EXPECT_TRUE(held->held());
    EXPECT_FALSE(other->try_lock("work"));
}

TEST_P(lock_test, outlives_the_database_object_that_gave_it)
{
    const auto held = one->try_lock("work");
    one.reset();
    EXPECT_FALSE(other->try_lock("work"));
}

TEST_P(lock_test, has_a_plain_name)
{
    for (const auto* name : {"", "../work", "a b", "a'b"}) EXPECT_THROW(one->try_lock(name), error) << name;
}

TEST(postgresql_lock, is_known_to_be_lost_with_its_connection)
{
    const test::fresh_database fresh{engine::postgresql};
    const auto db = open_database(fresh.address());
    auto held = db->try_lock("work");
    ASSERT_TRUE(held->held());
    open_postgresql(fresh.address())
        ->run_script("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and "
                     "database = (select oid from pg_database where datname = current_database())");
    EXPECT_FALSE(held->held());
    EXPECT_TRUE(db->try_lock("work"));
}

} // namespace
} // namespace xentz::sql
