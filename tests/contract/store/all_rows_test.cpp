#include "store/all_rows.hpp"

#include "contract/store/fixture.hpp"

#include <algorithm>
#include <set>

namespace xentz::store {
namespace {

using base::fault_code;

// What the engine itself says of a table: "name:number" or "name:text", in the order of the columns.
std::vector<std::string> catalog(sql::database& db, test::engine e, std::string_view table)
{
    const auto* of_sqlite = "select name, lower(type) from pragma_table_info($1) order by cid";
    const auto* of_postgresql = "select column_name, data_type from information_schema.columns "
                                "where table_name = $1 and table_schema = 'public' order by ordinal_position";
    return db.read([&](sql::connection& c) {
        const auto rows = c.query(e == test::engine::sqlite ? of_sqlite : of_postgresql, table);
        std::vector<std::string> out;
        for (std::size_t r = 0; r < rows.size(); ++r)
            out.push_back(rows.get<std::string>(r, 0) + (rows.get<std::string>(r, 1) == "text" ? ":text" : ":number"));
        return out;
    });
}

std::set<std::string> tables_in(sql::database& db, test::engine e)
{
    const auto* of_sqlite = "select name from sqlite_schema where type = 'table'";
    const auto* of_postgresql = "select table_name from information_schema.tables where table_schema = 'public'";
    return db.read([&](sql::connection& c) {
        const auto rows = c.query(e == test::engine::sqlite ? of_sqlite : of_postgresql);
        std::set<std::string> out;
        for (std::size_t r = 0; r < rows.size(); ++r) out.insert(rows.get<std::string>(r, 0));
        return out;
    });
}

// Everything as one text for each row, and what a restore would be given.
struct rows_in_memory final : row_receiver, row_source {
    std::vector<std::pair<row_group, row>> all;
    std::size_t at = 0;
    std::size_t begun = 0;
    std::optional<base::fault> fails;
    std::size_t fails_at = 0;
    std::size_t ended = 0;
    std::optional<base::fault> fails_at_end;

    base::result<> begin() override
    {
        all.clear();
        ++begun;
        return {};
    }
    base::result<> begin_table(const table& t) override
    {
        group_.table = t.name;
        group_.columns.clear();
        for (const auto& c : t.columns) group_.columns.emplace_back(c.name);
        return {};
    }
    base::result<> add(const row& r) override
    {
        all.emplace_back(group_, r);
        if (fails && all.size() == fails_at) return std::unexpected(*fails);
        return {};
    }
    base::result<> end() override
    {
        ++ended;
        if (fails_at_end) return std::unexpected(*fails_at_end);
        return {};
    }
    base::result<> rewind() override
    {
        at = 0;
        return {};
    }
    base::result<std::optional<copied_row>> next() override
    {
        if (fails && at == fails_at) return std::unexpected(*fails);
        if (at == all.size()) return std::optional<copied_row>{};
        const auto& [group, values] = all[at++];
        return copied_row{&group, values};
    }

    std::size_t count(std::string_view table) const
    {
        return static_cast<std::size_t>(
            std::ranges::count_if(all, [&](const auto& r) { return r.first.table == table; }));
    }

private:
    row_group group_;
};

class all_rows_test : public fleet_store_test {
protected:
    rows_in_memory read()
    {
        rows_in_memory out;
        EXPECT_TRUE(store.rows().read(out));
        return out;
    }
    const epoch started{.id = "epoch_1", .began_at = day + std::chrono::hours{5}, .copy_made_at = day};
};

XENTZ_ON_EACH_ENGINE(all_rows_test);

// Whoever adds a migration is told here that a copy would miss it.
TEST_P(all_rows_test, knows_every_table_and_column_that_the_migrations_make)
{
    // Left out on purpose: what is of one database alone, and what uploads under way have reserved.
    std::set<std::string> listed{"schema_migrations", "moved_away", "upload_reservation"};
    for (const auto& t : tables()) {
        listed.emplace(t.name);
        std::vector<std::string> columns;
        for (const auto& c : t.columns) columns.push_back(std::string{c.name} + (c.is_number ? ":number" : ":text"));
        EXPECT_EQ(catalog(*db, GetParam(), t.name), columns) << t.name;
    }
    EXPECT_EQ(tables_in(*db, GetParam()), listed);
}

TEST_P(all_rows_test, are_all_read_however_many_there_are)
{
    const auto d = enrolled_device("one");
    // More than are read at once, and a number that they divide without rest; keys of two columns.
    for (int i = 0; i < 400; ++i) store.add_report(make_report(d.id, "id:r" + std::to_string(i)));
    const auto d2 = enrolled_device("two");
    for (int i = 0; i < 3; ++i) store.add_report(make_report(d2.id, "id:r" + std::to_string(i)));
    const auto all = read();
    EXPECT_EQ(all.count("report"), 403U);
    EXPECT_EQ(all.count("device"), 2U);
    std::set<std::string> keys;
    for (const auto& [group, values] : all.all)
        if (group.table == "report") keys.insert(std::get<std::string>(values[1]) + std::get<std::string>(values[2]));
    EXPECT_EQ(keys.size(), 403U);
}

TEST_P(all_rows_test, a_fault_of_the_receiver_is_handed_on)
{
    rows_in_memory out;
    out.fails = base::fault{fault_code::disk_full, "full", ""};
    out.fails_at = 2;
    EXPECT_EQ(store.rows().read(out).error().code, fault_code::disk_full);
    EXPECT_TRUE(store.healthy());
}

TEST_P(all_rows_test, go_into_an_empty_database_and_void_what_may_have_been_used_since)
{
    store.add_token(token(3, "unused"));
    store.add_token(token(1, "revoked"));
    store.revoke_token({"tok_revoked"}, day);
    const auto d = enrolled_device("one");
    const auto repository = *store.repository_of(d.id);
    store.add_credential({.id = {"cred_1"},
                          .repository_id = repository.id,
                          .kind = "read-only",
                          .reason = "r",
                          .created_at = day,
                          .expires_at = day + std::chrono::hours{999},
                          .revoked_at = {}});
    auto all = read();

    const test::fresh_database empty{GetParam()};
    const auto target = sql::open_database(empty.address());
    const auto done = all_rows{target}.restore(schema_names(), all, started);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->epoch.number, 1);
    EXPECT_EQ(done->tokens_voided, 1);
    EXPECT_EQ(done->credentials_voided, 1);

    fleet_store restored{target};
    EXPECT_THAT(*restored.find_device(d.id), same_row(d));
    EXPECT_EQ(restored.find_token("hash-of-unused")->revoked_at, started.began_at);
    EXPECT_EQ(restored.find_token("hash-of-revoked")->revoked_at, day);
    EXPECT_EQ(restored.find_credential("cred_1")->revoked_at, started.began_at);
    EXPECT_EQ(restored.find_token("hash-of-for-one")->revoked_at, std::nullopt) << "it is used up, and history";
    EXPECT_EQ(restored.repository_of(d.id)->generation, repository.generation + 1000);
    EXPECT_EQ(restored.objects().state(repository.id).place, 1'000'000'000);
    const auto now = restored.current_epoch();
    ASSERT_TRUE(now);
    EXPECT_EQ(now->id, "epoch_1");
    EXPECT_EQ(now->copy_made_at, day);
    EXPECT_FALSE(now->confirmed_at);
}

TEST_P(all_rows_test, each_restore_begins_another_epoch)
{
    auto all = read();
    const test::fresh_database first{GetParam()};
    ASSERT_TRUE(all_rows{sql::open_database(first.address())}.restore(schema_names(), all, started));
    rows_in_memory again;
    ASSERT_TRUE(all_rows{sql::open_database(first.address())}.read(again));
    const test::fresh_database second{GetParam()};
    auto next = started;
    next.id = "epoch_2";
    const auto done = all_rows{sql::open_database(second.address())}.restore(schema_names(), again, next);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->epoch.number, 2);
    fleet_store restored{sql::open_database(second.address())};
    EXPECT_EQ(restored.current_epoch()->id, "epoch_2");
    EXPECT_TRUE(restored.confirm_epoch(day));
    EXPECT_FALSE(restored.confirm_epoch(day));
    EXPECT_EQ(restored.current_epoch()->confirmed_at, day);
}

TEST_P(all_rows_test, do_not_go_into_a_database_that_holds_some)
{
    auto all = read();
    store.set_setting("initialised_at", "now");
    EXPECT_TRUE(store.rows().holds_any());
    EXPECT_EQ(store.rows().restore(schema_names(), all, started).error().code, fault_code::conflict);
    EXPECT_FALSE(store.current_epoch());
}

TEST_P(all_rows_test, go_in_wholly_or_not_at_all)
{
    enrolled_device("one");
    store.set_setting("initialised_at", "now");
    auto all = read();
    const test::fresh_database empty{GetParam()};
    const auto target = sql::open_database(empty.address());
    all.fails = base::fault{fault_code::file_failed, "the disk is gone", ""};
    all.fails_at = all.all.size() - 1;
    EXPECT_EQ(all_rows{target}.restore(schema_names(), all, started).error().code, fault_code::file_failed);
    EXPECT_FALSE(all_rows{target}.holds_any());
    all.fails.reset();
    EXPECT_TRUE(all_rows{target}.restore(schema_names(), all, started)) << "what was cut short can be done again";
    EXPECT_TRUE(all_rows{target}.holds_any());
}

TEST_P(all_rows_test, of_a_schema_that_this_program_does_not_know_are_refused)
{
    auto all = read();
    const test::fresh_database empty{GetParam()};
    for (auto schema : {std::vector<std::string>{"0001_other"}, schema_names()}) {
        schema.emplace_back("9999_later");
        EXPECT_EQ(all_rows{sql::open_database(empty.address())}.restore(schema, all, started).error().code,
                  fault_code::config_invalid);
    }
}

TEST_P(all_rows_test, a_name_that_is_none_never_gets_into_a_statement)
{
    const test::fresh_database empty{GetParam()};
    for (const auto& [table, column] : std::vector<std::pair<std::string, std::string>>{
             {"setting; drop table tenant", "name"}, {"setting", "name) values ('x'); --"}, {"", "name"}}) {
        rows_in_memory odd;
        odd.all = {{{table, {column}}, {std::string{"x"}}}};
        EXPECT_EQ(all_rows{sql::open_database(empty.address())}.restore(schema_names(), odd, started).error().code,
                  fault_code::invalid_value);
    }
    rows_in_memory short_row;
    short_row.all = {{{"setting", {"name", "value"}}, {std::string{"x"}}}};
    EXPECT_EQ(all_rows{sql::open_database(empty.address())}.restore(schema_names(), short_row, started).error().code,
              fault_code::invalid_value);
}

TEST_P(all_rows_test, are_moved_in_as_they_were_and_read_back)
{
    store.add_token(token(3, "unused"));
    const auto d = enrolled_device("one");
    store.set_setting("initialised_at", "now");
    auto all = read();
    const test::fresh_database empty{GetParam()};
    const auto target = sql::open_database(empty.address());
    rows_in_memory back;
    ASSERT_TRUE(all_rows{target}.move_in(schema_names(), all, back));
    EXPECT_EQ(back.ended, 1U);
    ASSERT_EQ(back.all.size(), all.all.size());
    for (const auto& [group, values] : all.all)
        EXPECT_TRUE(std::ranges::any_of(back.all, [&](const auto& r) {
            return r.first.table == group.table && r.second == values;
        })) << group.table;
    fleet_store moved{target};
    EXPECT_FALSE(moved.find_token("hash-of-unused")->revoked_at);
    EXPECT_EQ(moved.repository_of(d.id)->generation, store.repository_of(d.id)->generation);
    EXPECT_FALSE(moved.current_epoch());
    EXPECT_FALSE(moved.moves().find());
    EXPECT_EQ(all_rows{target}.move_in(schema_names(), all, back).error().code, fault_code::conflict);
}

TEST_P(all_rows_test, are_not_moved_in_where_what_arrived_is_refused)
{
    store.set_setting("initialised_at", "now");
    auto all = read();
    const test::fresh_database empty{GetParam()};
    const auto target = sql::open_database(empty.address());
    rows_in_memory back;
    back.fails_at_end = base::fault{fault_code::repository_damaged, "another row", ""};
    EXPECT_EQ(all_rows{target}.move_in(schema_names(), all, back).error().code, fault_code::repository_damaged);
    EXPECT_FALSE(all_rows{target}.holds_any());
    back.fails_at_end.reset();
    EXPECT_TRUE(all_rows{target}.move_in(schema_names(), all, back));
}

TEST_P(all_rows_test, are_moved_in_by_a_program_of_their_own_schema_alone)
{
    auto all = read();
    const test::fresh_database empty{GetParam()};
    const auto target = sql::open_database(empty.address());
    rows_in_memory back;
    auto later = schema_names();
    later.emplace_back("9999_later");
    auto earlier = schema_names();
    earlier.pop_back();
    for (const auto& schema : {later, earlier})
        EXPECT_EQ(all_rows{target}.move_in(schema, all, back).error().code, fault_code::config_invalid);
    EXPECT_FALSE(all_rows{target}.holds_any());
}

// What a server that is serving sees at the moment of the export.
TEST_P(all_rows_test, a_database_that_they_were_moved_out_of_is_shut_until_that_is_taken_back)
{
    store.set_setting("initialised_at", "now");
    fleet_store serving{sql::open_database(fresh.address(), {.gate = move_mark::gate()})};
    EXPECT_TRUE(serving.healthy());
    const auto code = [&](const auto& f) {
        try {
            f();
        } catch (const sql::error& e) {
            return std::optional{e.code};
        }
        return std::optional<sql::errc>{};
    };
    auto mark = store.moves();
    mark.set(day, "/srv/export");
    EXPECT_EQ(mark.find()->export_hash, std::nullopt);
    mark.complete("abc");
    EXPECT_EQ(mark.find()->export_hash, "abc");
    mark.set(day + std::chrono::hours{1}, "/srv/another");
    EXPECT_EQ(mark.find()->moved_at, day) << "the first instant stays";
    EXPECT_EQ(mark.find()->folder, "/srv/another");
    EXPECT_EQ(mark.find()->export_hash, std::nullopt) << "the next one is not whole yet";
    EXPECT_EQ(code([&] { serving.setting("initialised_at"); }), sql::errc::shut);
    EXPECT_EQ(code([&] { serving.set_setting("initialised_at", "later"); }), sql::errc::shut);
    EXPECT_EQ(code([&] { serving.healthy(); }), sql::errc::shut);
    EXPECT_EQ(code([&] { serving.objects().sample_usage(1); }), sql::errc::shut);
    serving.migrate();
    EXPECT_EQ(store.setting("initialised_at"), "now") << "the export itself still reads";
    mark.clear();
    EXPECT_FALSE(mark.find());
    EXPECT_EQ(serving.setting("initialised_at"), "now");
}

} // namespace
} // namespace xentz::store
