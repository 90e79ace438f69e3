// A database with one table, on each engine, and what it throws. For the sources of this folder.
#pragma once

#include "support/databases.hpp"

#include <boost/describe/class.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace xentz::sql {

using test::engine;

struct item {
    std::string name;
    std::int64_t amount = 0;
    std::optional<std::string> note;
    bool chosen = false;
    base::time_point at;
    bool operator==(const item&) const = default;
};
BOOST_DESCRIBE_STRUCT(item, (), (name, amount, note, chosen, at))

struct item_tag;

inline constexpr const char* schema = "create table item (name text primary key, amount bigint not null, note text, "
                                      "chosen integer not null, at bigint not null)";

class database_test : public testing::TestWithParam<engine> {
protected:
    void SetUp() override { db->migrate({{"0001_item", schema}}); }

    std::int64_t count()
    {
        return db->read([](connection& c) { return c.query("select count(*) from item").get<std::int64_t>(0, 0); });
    }
    void add(const std::string& name, std::int64_t amount = 0)
    {
        db->write([&](connection& c) { c.insert("item", item{.name = name, .amount = amount, .note = {}}); });
    }
    std::int64_t amount_of(const std::string& name)
    {
        return db->read([&](connection& c) {
            return c.query("select amount from item where name = $1", name).get<std::int64_t>(0, 0);
        });
    }

    test::fresh_database fresh{GetParam()};
    std::shared_ptr<database> db = open_database(fresh.address());
};

template <class F>
std::optional<errc> code_thrown_by(F&& f)
{
    try {
        f();
    } catch (const error& e) {
        return e.code;
    }
    return std::nullopt;
}

} // namespace xentz::sql
