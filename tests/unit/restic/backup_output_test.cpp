#include "restic/backup_output.hpp"

#include "base/redactor.hpp"
#include "unit/restic/captures.hpp"

namespace xentz::restic {
namespace {

using domain::run_status;

std::string unchanged(std::string_view text) { return std::string{text}; }

struct read_run {
    engine::backup_outcome outcome;
    bool saved = false;
    std::vector<engine::progress> progress;
    std::vector<std::string> unclaimed; // lines of stderr that are no source's
};

read_run read(const std::string& out, const std::string& err)
{
    read_run r;
    const engine::progress_sink sink = [&](const engine::progress& p) { r.progress.push_back(p); };
    backup_output output{sink, unchanged};
    for (const auto& line : lines_of(out)) output.read_out(line);
    for (const auto& line : lines_of(err)) {
        if (!output.read_err(line)) r.unclaimed.push_back(line);
    }
    r.outcome = output.outcome();
    r.saved = output.saved();
    return r;
}

class recorded_backup : public testing::TestWithParam<std::string> {
protected:
    read_run read_capture(const std::string& name) const
    {
        const auto c = capture(GetParam(), name);
        return read(c.out, c.err);
    }
};
INSTANTIATE_TEST_SUITE_P(all, recorded_backup, testing::ValuesIn(recorded_versions()), version_name);

TEST_P(recorded_backup, first_of_a_folder)
{
    const auto r = read_capture("09-backup-first");
    EXPECT_TRUE(r.saved);
    EXPECT_EQ(r.outcome.status, run_status::success);
    const auto& m = r.outcome.metrics;
    EXPECT_EQ(m.files_total, 8U);
    EXPECT_EQ(m.files_new, 8U);
    EXPECT_EQ(m.files_changed, 0U);
    EXPECT_EQ(m.files_unreadable, 0U);
    EXPECT_EQ(m.bytes_total, 9100003U);
    const std::map<std::string, std::pair<std::uint64_t, std::string>> expected{
        {"0.14.0", {9104894, "79581bd5"}},
        {"0.18.0", {9104970, "504b36209657b66c3848e55e3f1fbc6ba835f6d17c14766774d7885e89c878ed"}},
        {"0.19.1", {9104906, "507553647bc6a4c8be370c668ffae96a98a58e840fd131925e19997369bf3533"}}};
    EXPECT_EQ(m.data_added_bytes, expected.at(GetParam()).first);
    EXPECT_EQ(m.snapshot_id, expected.at(GetParam()).second);
    ASSERT_FALSE(r.progress.empty());
    EXPECT_EQ(r.progress.back().fraction, 1);
    EXPECT_EQ(r.progress.back().files_total, 8U);
    EXPECT_EQ(r.progress.back().bytes_total, 9100003U);
    EXPECT_EQ(r.progress.back().bytes_done, 9100003U);
}

TEST_P(recorded_backup, of_an_unchanged_folder)
{
    const auto r = read_capture("10-backup-unchanged");
    EXPECT_EQ(r.outcome.status, run_status::success);
    EXPECT_EQ(r.outcome.metrics.files_new, 0U);
    EXPECT_EQ(r.outcome.metrics.data_added_bytes, 0U);
    EXPECT_EQ(r.outcome.metrics.files_total, 8U);
    EXPECT_TRUE(r.saved);
}

TEST_P(recorded_backup, with_more_words_counts_the_same)
{
    for (const auto* name : {"11-backup-v", "12-backup-vv"}) {
        const auto r = read_capture(name);
        EXPECT_TRUE(r.saved);
        EXPECT_EQ(r.outcome.metrics.files_total, 8U);
        EXPECT_EQ(r.outcome.metrics.files_changed, 1U);
        // 0.14 calls the end of its scan a status; it has no figures and would set the progress back to nothing.
        const std::size_t status_lines = GetParam() == "0.14.0" ? 1 : 0;
        EXPECT_EQ(r.progress.size(), status_lines);
    }
}

TEST_P(recorded_backup, with_unreadable_files_is_partial_and_names_each_once)
{
    const auto r = read_capture("67-backup-unreadable");
    EXPECT_TRUE(r.saved);
    EXPECT_EQ(r.outcome.status, run_status::partial);
    EXPECT_EQ(r.outcome.unreadable_count, 2U);
    EXPECT_EQ(r.outcome.metrics.files_unreadable, 2U);
    ASSERT_EQ(r.outcome.unreadable.size(), 2U);
    EXPECT_EQ(r.outcome.unreadable[0].path, "/srv/sample/src/docs/f2.bin");
    EXPECT_EQ(r.outcome.unreadable[1].path, "src/priv");
    if (GetParam() == "0.14.0") {
        EXPECT_EQ(r.outcome.unreadable[0].reason, "open: Permission denied");
        EXPECT_EQ(r.outcome.unreadable[1].reason, "it could not be read");
    } else {
        EXPECT_EQ(r.outcome.unreadable[0].reason,
                  "/srv/sample/src/docs/f2.bin: open src/docs/f2.bin: permission denied");
        EXPECT_EQ(r.outcome.unreadable[1].reason, "openfile for readdirnames failed: open src/priv: permission denied");
    }
}

TEST_P(recorded_backup, with_a_missing_source_is_partial)
{
    const auto r = read_capture("66-backup-one-missing-path");
    EXPECT_TRUE(r.saved);
    EXPECT_EQ(r.outcome.status, run_status::partial);
    EXPECT_EQ(r.outcome.missing_sources, std::vector<std::string>{"src/nope"});
    EXPECT_EQ(r.outcome.unreadable_count, 0U);
}

TEST_P(recorded_backup, of_nothing_but_missing_sources_saves_nothing)
{
    const auto r = read_capture("65-backup-missing-path");
    EXPECT_FALSE(r.saved);
    EXPECT_EQ(r.outcome.missing_sources, std::vector<std::string>{"src/nope"});
    ASSERT_EQ(r.unclaimed.size(), 1U);
    EXPECT_NE(r.unclaimed[0].find("directories/files do not exist"), std::string::npos);
}

TEST_P(recorded_backup, that_stalls_goes_on_being_read)
{
    const auto r = read(golden_file(GetParam(), "extra-stdin-stalled.stdout"),
                        golden_file(GetParam(), "extra-stdin-stalled.stderr"));
    EXPECT_FALSE(r.saved);
    // 0.14 gives 2^63 seconds remaining, which is no 64-bit signed number.
    EXPECT_EQ(r.progress.size(), GetParam() == "0.14.0" ? 4U : 15U);
    EXPECT_EQ(r.progress.back().files_total, 1U);
}

TEST(backup_output, lists_the_first_hundred_unreadable_files_and_counts_all)
{
    const engine::progress_sink none;
    backup_output output{none, unchanged};
    for (int i = 0; i < 20'000; ++i)
        EXPECT_TRUE(
            output.read_err(R"({"message_type":"error","error":{"message":"no"},"during":"archival","item":"/f)" +
                            std::to_string(i) + "\"}"));
    const auto o = output.outcome();
    EXPECT_EQ(o.unreadable.size(), domain::most_unreadable_listed);
    EXPECT_EQ(o.unreadable.front().path, "/f0");
    EXPECT_EQ(o.unreadable.back().path, "/f99");
    EXPECT_EQ(o.unreadable_count, 20'000U);
}

TEST(backup_output, bounds_what_it_keeps_of_each)
{
    const engine::progress_sink none;
    backup_output output{none, unchanged};
    const std::string much(2'000'000, 'x');
    output.read_err(R"({"message_type":"error","error":{"message":")" + much + R"("},"during":"archival","item":")" +
                    much + "\"}");
    for (int i = 0; i < 5'000; ++i) output.read_err("/gone/" + std::to_string(i) + " does not exist, skipping");
    const auto o = output.outcome();
    EXPECT_LE(o.unreadable.at(0).path.size(), 4096U);
    EXPECT_LE(o.unreadable.at(0).reason.size(), 500U);
    EXPECT_EQ(o.missing_sources.size(), backup_output::most_missing_listed);
}

TEST(backup_output, keeps_no_secret)
{
    const engine::progress_sink none;
    base::redactor redactor;
    redactor.add("hunter22");
    backup_output output{none, [&](std::string_view text) { return redactor.clean(text); }};
    output.read_err(
        R"({"message_type":"error","error":{"message":"x hunter22"},"during":"archival","item":"/hunter22"})");
    output.read_err("/hunter22 does not exist, skipping");
    const auto o = output.outcome();
    EXPECT_EQ(o.unreadable.at(0).path, "/***");
    EXPECT_EQ(o.unreadable.at(0).reason, "x ***");
    EXPECT_EQ(o.missing_sources.at(0), "/***");
}

TEST(backup_output, leaves_the_errors_of_the_whole_run_to_others)
{
    const engine::progress_sink none;
    backup_output output{none, unchanged};
    EXPECT_FALSE(output.read_err(R"({"message_type":"exit_error","code":12,"message":"Fatal: wrong password"})"));
    EXPECT_FALSE(output.read_err("Fatal: wrong password or no key found"));
    EXPECT_FALSE(output.read_err("Save(<data/1234>) returned error, retrying after 1s: 507"));
}

TEST(backup_output, takes_a_summary_without_snapshot_for_none)
{
    EXPECT_FALSE(read(R"({"message_type":"summary","files_new":1})", "").saved);
    EXPECT_FALSE(read(R"({"message_type":"summary","files_new":1,"snapshot_id":""})", "").saved);
    EXPECT_FALSE(read(R"({"message_type":"summary","files_new":1,"snapshot_id":7})", "").saved);
}

} // namespace
} // namespace xentz::restic
