#include "restic/listing.hpp"

#include "restic/restore_output.hpp"
#include "unit/restic/captures.hpp"

namespace xentz::restic {
namespace {

class recorded_list : public testing::TestWithParam<std::string> {
protected:
    std::vector<std::string> out(const std::string& name) const { return lines_of(capture(GetParam(), name).out); }
};
INSTANTIATE_TEST_SUITE_P(all, recorded_list, testing::ValuesIn(recorded_versions()), version_name);

TEST_P(recorded_list, of_snapshots)
{
    const auto list = parse_snapshots(out("18-snapshots").at(0));
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 9U);
    const auto& first = list->front();
    EXPECT_EQ(first.id.size(), 64U);
    EXPECT_EQ(first.short_id, first.id.substr(0, 8));
    EXPECT_EQ(first.hostname, "h1");
    EXPECT_EQ(first.paths, std::vector<std::string>{"/srv/sample/src"});
    EXPECT_EQ(first.tags, (std::vector<std::string>{"daily", "web"}));
    EXPECT_TRUE(first.time.starts_with("2026-11-23T14:2"));
    EXPECT_TRUE(list->back().tags.empty());
}

TEST_P(recorded_list, of_the_latest_ends_with_the_newest_of_all_groups)
{
    const auto all = parse_snapshots(out("18-snapshots").at(0));
    const auto latest = parse_snapshots(out("19-snapshots-latest").at(0));
    ASSERT_TRUE(all && latest);
    EXPECT_EQ(latest->size(), 4U);
    EXPECT_EQ(latest->back().id, all->back().id);
}

TEST_P(recorded_list, of_no_snapshots_is_empty)
{
    const auto list = parse_snapshots(out("21-snapshots-nomatch").at(0));
    ASSERT_TRUE(list);
    EXPECT_TRUE(list->empty());
}

TEST_P(recorded_list, of_a_snapshots_nodes)
{
    const auto lines = out("22-ls");
    ASSERT_EQ(lines.size(), 14U);
    EXPECT_TRUE(is_snapshot_line(lines[0]));
    EXPECT_FALSE(parse_node(lines[0]));
    std::map<std::string, engine::node> nodes;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto node = parse_node(lines[i]);
        ASSERT_TRUE(node) << lines[i];
        EXPECT_FALSE(is_snapshot_line(lines[i]));
        nodes[node->path] = *node;
    }
    EXPECT_EQ(nodes.at("/src").type, "dir");
    EXPECT_EQ(nodes.at("/src/big.bin").size, 9'000'000U);
    EXPECT_EQ(nodes.at("/src/big.bin").type, "file");
    EXPECT_EQ(nodes.at("/src/link").type, "symlink");
    EXPECT_EQ(nodes.at("/src/spaced dir/ünïcode.txt").size, 3U);
    EXPECT_TRUE(nodes.at("/src/zero").mtime.starts_with("2026-11-23T14:"));
}

TEST_P(recorded_list, of_what_forget_kept_and_removed)
{
    const auto kept = parse_forget(out("48-forget-keep").at(0));
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->kept, 2U);
    EXPECT_EQ(kept->removed, 3U);
    ASSERT_EQ(kept->removed_ids.size(), 3U);
    EXPECT_EQ(kept->removed_ids[0].size(), 64U);
}

TEST_P(recorded_list, of_forget_may_hold_null_for_none)
{
    const auto dry = parse_forget(out("46-forget-dry").at(0));
    ASSERT_TRUE(dry);
    EXPECT_EQ(dry->kept, 4U);
    EXPECT_EQ(dry->removed, 5U);
    const auto none = parse_forget(out("103-rest-forget-prune").at(0));
    ASSERT_TRUE(none);
    EXPECT_EQ(none->kept, 1U);
    EXPECT_EQ(none->removed, 0U);
}

TEST_P(recorded_list, of_forget_is_one_line_among_the_text_of_prune)
{
    std::vector<engine::retention_outcome> found;
    std::vector<std::uint64_t> totals;
    for (const auto& line : out("49-forget-prune")) {
        if (const auto f = parse_forget(line)) found.push_back(*f);
        if (const auto t = parse_prune_total(line)) totals.push_back(*t);
    }
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kept, 4U);
    EXPECT_EQ(found[0].removed, 2U);
    // With --json 0.19 prints no text.
    const std::map<std::string, std::vector<std::uint64_t>> expected{
        {"0.14.0", {23131}}, {"0.18.0", {23230}}, {"0.19.1", {}}};
    EXPECT_EQ(totals, expected.at(GetParam()));
}

TEST_P(recorded_list, of_prune_gives_what_it_freed)
{
    for (const auto* name : {"51-prune", "52-prune-text", "107-rest-appendonly-prune"}) {
        std::vector<std::uint64_t> totals;
        for (const auto& line : out(name)) {
            if (const auto t = parse_prune_total(line)) totals.push_back(*t);
        }
        EXPECT_EQ(totals, std::vector<std::uint64_t>{0}) << name;
    }
}

TEST_P(recorded_list, of_a_restore_gives_a_summary_since_0_16)
{
    std::vector<engine::progress> progress;
    const engine::progress_sink sink = [&](const engine::progress& p) { progress.push_back(p); };
    restore_output output{sink};
    for (const auto& line : out("102-rest-restore")) output.read_out(line);
    if (GetParam() == "0.14.0") {
        EXPECT_FALSE(output.summary());
        return;
    }
    ASSERT_TRUE(output.summary());
    EXPECT_EQ(output.summary()->files, 16U);
    EXPECT_EQ(output.summary()->bytes, 39080022U);
    if (GetParam() == "0.18.0") {
        ASSERT_EQ(progress.size(), 3U);
        EXPECT_DOUBLE_EQ(progress[0].fraction, 0.11844532738492317);
        EXPECT_EQ(progress[2].files_done, 9U);
        EXPECT_EQ(progress[2].files_total, 16U);
        EXPECT_EQ(progress[2].bytes_done, 34292592U);
        EXPECT_EQ(progress[2].bytes_total, 39080022U);
    }
}

TEST(listing, sorts_snapshots_by_instant_not_by_text)
{
    const auto list = parse_snapshots(R"([
        {"id":"b","time":"2026-11-23T10:00:00.123456789+02:00"},
        {"id":"c","time":"2026-11-23T09:00:00Z"},
        {"id":"a","time":"2026-11-23T11:00:00+05:00"}])");
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 3U);
    EXPECT_EQ(list->at(0).id, "a");
    EXPECT_EQ(list->at(1).id, "b");
    EXPECT_EQ(list->at(2).id, "c");
}

TEST(listing, takes_a_cut_or_foreign_list_for_none)
{
    for (const auto* line :
         {"", "[", R"([{"id":"a"},)", R"([{"time":"x"}])", "[1]", "null", "[0:00] 100.00%  4 / 4 packs"}) {
        EXPECT_FALSE(parse_snapshots(line)) << line;
        EXPECT_FALSE(parse_forget(line)) << line;
    }
}

TEST(listing, reads_sizes_of_every_unit)
{
    EXPECT_EQ(parse_prune_total("total prune:           7 blobs / 512 B"), 512U);
    EXPECT_EQ(parse_prune_total("total prune:           7 blobs / 1.500 KiB"), 1536U);
    EXPECT_EQ(parse_prune_total("total prune:           7 blobs / 8.701 MiB"), 9123660U);
    EXPECT_EQ(parse_prune_total("total prune:           7 blobs / 2.000 GiB"), 2147483648U);
    EXPECT_EQ(parse_prune_total("total prune:           7 blobs / 1.000 TiB"), 1099511627776U);
    for (const auto* line :
         {"total prune:", "total prune: 7 blobs / ", "total prune: 7 blobs / x KiB", "total prune: 7 blobs / 1 XiB",
          "total prune: 7 blobs / 1e300 TiB", "total prune: 7 blobs / nan B",
          "total prune: 7 blobs / 99999999999999 TiB", "remaining:            24 blobs / 8.701 MiB"})
        EXPECT_FALSE(parse_prune_total(line)) << line;
}

} // namespace
} // namespace xentz::restic
