// The export of a control plane, which a move takes from each engine into each other one.
#include "fixture.hpp"

namespace xentz::recovery {
namespace {

class each_export : public copy, public testing::WithParamInterface<route> {};

INSTANTIATE_TEST_SUITE_P(engines, each_export,
                         testing::Values(route{engine::sqlite, engine::sqlite},
                                         route{engine::sqlite, engine::postgresql},
                                         route{engine::postgresql, engine::sqlite},
                                         route{engine::postgresql, engine::postgresql}),
                         [](const auto& r) { return test::name(r.param.from) + "_to_" + test::name(r.param.to); });

std::vector<std::string> rows_in(const std::shared_ptr<sql::database>& db)
{
    as_text out;
    EXPECT_TRUE(store::all_rows{db}.read(out));
    std::ranges::sort(out.lines);
    return out.lines;
}

// A move changes nothing at all, and finds out by itself that it did not.
TEST_P(each_export, an_export_goes_over_whole_and_unchanged)
{
    control_plane from{GetParam().from};
    from.fill();
    const auto made = make(from, kind_of_export);
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_TRUE(open(phrase, kind_of_export));
    const test::fresh_database empty{GetParam().to};
    const auto target = sql::open_database(empty.address());
    const auto done = move_in(target, *made);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(rows_in(target), from.rows());
    EXPECT_EQ(move_in(target, *made).error().code, fault_code::conflict) << "only into an empty one";
    EXPECT_EQ(rows_in(target), from.rows());
}

TEST_P(each_export, rows_that_do_not_arrive_as_they_were_exported_are_no_import)
{
    control_plane from{GetParam().from};
    from.fill();
    const auto made = make(from, kind_of_export);
    ASSERT_TRUE(made);
    const auto whole = read(made->database.name);
    const std::string row = "\"ten_empty\",\"\",\"device\"";
    ASSERT_NE(whole.find(row), std::string::npos);
    auto other = whole;
    other.replace(whole.find(row), row.size(), "\"ten_empty\",\"\",\"server\"");
    const auto line = whole.find("[\"req_", 0) == std::string::npos ? whole.find("[\"dev_one\",\"req_1\"") : 0;
    ASSERT_NE(line, std::string::npos);
    auto fewer = whole;
    fewer.erase(line, whole.find('\n', line) + 1 - line);
    const test::fresh_database empty{GetParam().to};
    const auto target = sql::open_database(empty.address());
    for (const auto& text : {other, fewer}) {
        ASSERT_TRUE(os::write_atomic(files, at / made->database.name, text));
        const auto done = move_in(target, *made);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code, fault_code::repository_damaged);
        EXPECT_NE(done.error().message.find("did not arrive"), std::string::npos) << done.error().message;
        EXPECT_FALSE(store::all_rows{target}.holds_any());
    }
    ASSERT_TRUE(os::write_atomic(files, at / made->database.name, whole));
    EXPECT_TRUE(move_in(target, *made)) << "what was refused can be done again";
}

TEST_F(copy, an_export_is_no_copy_and_a_copy_no_export)
{
    control_plane from{engine::sqlite};
    from.fill();
    ASSERT_TRUE(make(from));
    EXPECT_EQ(open(phrase, kind_of_export).error().code, fault_code::invalid_value);
    EXPECT_EQ(make(from, kind_of_export).error().code, fault_code::target_not_empty);
    ASSERT_TRUE(os::remove_all(files, at));
    ASSERT_TRUE(make(from, kind_of_export));
    EXPECT_EQ(open().error().code, fault_code::invalid_value);
    EXPECT_EQ(make(from).error().code, fault_code::target_not_empty);
    EXPECT_TRUE(open(phrase, kind_of_export)) << "it is still there";
}

TEST_F(copy, an_export_that_was_withdrawn_is_none_and_the_next_one_knows_nothing_of_it)
{
    control_plane from{engine::sqlite};
    from.fill();
    ASSERT_TRUE(make(from, kind_of_export));
    const auto folder = *copy_folder::open(files, at);
    EXPECT_EQ(*folder.imported_at(), std::nullopt);
    ASSERT_TRUE(folder.put_imported(clock.now()));
    EXPECT_EQ(*folder.imported_at(), clock.now());
    ASSERT_TRUE(folder.withdraw());
    EXPECT_EQ(copy_folder::open(files, at).error().code, fault_code::not_found);
    ASSERT_TRUE(make(from, kind_of_export));
    EXPECT_EQ(*folder.imported_at(), std::nullopt);
    EXPECT_TRUE(open(phrase, kind_of_export));
}

TEST(row_tally, does_not_depend_on_the_order_and_sees_every_row)
{
    const auto digest = [](const std::vector<std::string>& lines) {
        row_tally t;
        t.begin_table("t");
        for (const auto& l : lines) t.add(l);
        return t.counts().front();
    };
    EXPECT_EQ(digest({"a", "b", "c"}), digest({"c", "a", "b"}));
    EXPECT_NE(digest({"a", "b"}), digest({"a", "c"}));
    EXPECT_NE(digest({"a", "a"}), digest({"b", "b"}));
    EXPECT_NE(digest({"a"}), digest({"a", "a"}));
    EXPECT_EQ(digest({}).rows, 0U);
    EXPECT_EQ(*digest({}).digest, std::string(64, '0'));
    EXPECT_EQ(*digest({"a"}).digest, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb") << "SHA-256";
    // 2 * 0xca97...: with its carry, and without the one that leaves the 256 bits.
    EXPECT_EQ(digest({"a", "a"}).digest->substr(0, 2), "95");
}

} // namespace
} // namespace xentz::recovery
