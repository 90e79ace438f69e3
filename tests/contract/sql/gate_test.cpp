// The gate of a database, on each engine.
#include "fixture.hpp"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace xentz::sql {
namespace {

class gate_test : public database_test {
protected:
    void SetUp() override { db->migrate({{"0001_item", schema}, {"0002_shut", "create table shut (why text)"}}); }

    void shut()
    {
        db->write_alone("shut", [](connection& c) { c.query("insert into shut (why) values ('moved')"); });
    }
    void open()
    {
        db->write_alone("shut", [](connection& c) { c.query("delete from shut"); });
    }

    std::shared_ptr<database> behind_gate =
        open_database(fresh.address(), {.gate = gate{.table = "shut", .message = "it was moved"}});
};
INSTANTIATE_TEST_SUITE_P(each, gate_test, testing::Values(engine::sqlite, engine::postgresql),
                         [](const auto& e) { return test::name(e.param); });

TEST_P(gate_test, refuses_everything_but_a_migration_while_it_is_shut)
{
    const auto read = [&] { behind_gate->read([](connection& c) { c.query("select name from item"); }); };
    const auto write = [&] {
        behind_gate->write([](connection& c) { c.insert("item", item{.name = "b", .note = {}}); });
    };
    read();
    shut();
    EXPECT_EQ(code_thrown_by(read), errc::shut);
    EXPECT_EQ(code_thrown_by(write), errc::shut);
    try {
        read();
    } catch (const error& e) {
        EXPECT_STREQ(e.what(), "it was moved");
    }
    EXPECT_EQ(count(), 0) << "whoever opened it without the gate passes";
    behind_gate->migrate({{"0001_item", schema},
                          {"0002_shut", "create table shut (why text)"},
                          {"0003_more", "create table more (n bigint)"}});
    open();
    write();
    EXPECT_EQ(count(), 1);
}

TEST_P(gate_test, shuts_once_what_is_under_way_has_ended)
{
    std::promise<void> begun, may_end;
    std::thread writer{[&] {
        behind_gate->write([&](connection& c) {
            c.insert("item", item{.name = "under way", .note = {}});
            begun.set_value();
            may_end.get_future().wait();
        });
    }};
    begun.get_future().wait();
    auto shutting = std::async(std::launch::async, [&] { shut(); });
    EXPECT_EQ(shutting.wait_for(std::chrono::milliseconds{200}), std::future_status::timeout);
    may_end.set_value();
    shutting.get();
    EXPECT_EQ(count(), 1) << "what was under way was stored before";
    writer.join();
}

// A reader, such as a copy that is being made, is not waited for.
TEST_P(gate_test, shuts_beside_a_reader)
{
    behind_gate->read([&](connection& c) {
        c.query("select name from item");
        std::thread([&] { shut(); }).join();
        EXPECT_EQ(c.query("select name from item").size(), 0U);
    });
    EXPECT_EQ(code_thrown_by([&] { behind_gate->read([](connection& c) { c.query("select 1"); }); }), errc::shut);
}

TEST_P(gate_test, stores_nothing_later_whoever_writes_at_that_moment)
{
    for (int round = 0; round < 5; ++round) {
        std::atomic<int> stored = 0;
        std::vector<std::jthread> writers;
        for (int t = 0; t < 4; ++t)
            writers.emplace_back([&, t] {
                try {
                    for (int i = 0;; ++i, ++stored)
                        behind_gate->write([&](connection& c) {
                            c.insert("item", item{.name = std::to_string(round) + "/" + std::to_string(t) + "/" +
                                                          std::to_string(i),
                                                  .note = {}});
                        });
                } catch (const error& e) {
                    EXPECT_EQ(e.code, errc::shut) << e.what();
                }
            });
        while (stored < 20) std::this_thread::yield();
        shut();
        const auto there = count();
        writers.clear();
        EXPECT_EQ(count(), there) << "round " << round;
        open();
    }
}

} // namespace
} // namespace xentz::sql
