// What a session does whatever restic prints: files, secrets, versions, refusals.
#include "unit/restic/session_fixture.hpp"

#include <sys/stat.h>

namespace xentz::restic {
namespace {

using base::fault_code;
using how = os::process_end::how;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST_F(a_session, counts_on_disk_what_an_old_restic_restored)
{
    start("0.14.0");
    const auto target = scratch.path() / "target";
    std::filesystem::create_directories(target);
    std::ofstream{target / "before"} << "not restored";
    runner.script.push_back(prints("restoring <Snapshot abcd> to target\n"));
    runner.while_running = [&](const os::command& c) {
        if (c.args[0] != "restore") return;
        std::filesystem::create_directories(target / "folder");
        std::ofstream{target / "folder" / "file"} << "12345";
        std::filesystem::create_hard_link(target / "folder" / "file", target / "folder" / "same");
        std::filesystem::create_symlink("file", target / "folder" / "link");
    };
    const auto r = session->restore({.snapshot_id = "abcd", .target = target}, {}, {});
    ASSERT_TRUE(r);
    EXPECT_GE(r->files, 4U);
    EXPECT_GE(r->bytes, 5U);
    // The kernel's clock ticks every few milliseconds: what was there within the same tick counts, too.
    EXPECT_LE(r->files, 5U);
}

TEST_F(a_session, keeps_the_address_in_a_file_for_the_time_of_a_run)
{
    std::filesystem::path file;
    runner.while_running = [&](const os::command& c) {
        if (c.args[0] == "version") return;
        file = c.environment.at("RESTIC_REPOSITORY_FILE");
        std::ifstream in{file};
        std::string content{std::istreambuf_iterator<char>{in}, {}};
        EXPECT_EQ(content, address);
        struct ::stat info{};
        ASSERT_EQ(::stat(file.c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777U, 0600U);
        ASSERT_EQ(::stat(file.parent_path().c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777U, 0700U);
    };
    runner.script.push_back(prints("[]\n"));
    ASSERT_TRUE(session->snapshots(ours, {}));
    EXPECT_FALSE(file.empty());
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path() / "run"));
    runner.script.push_back({.err = "Fatal: no\n", .end = {.exit_code = 1}});
    ASSERT_FALSE(session->snapshots(ours, {}));
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path() / "run"));
}

TEST_F(a_session, shows_no_secret_to_other_processes)
{
    runner.script.push_back(prints("[]\n"));
    ASSERT_TRUE(session->snapshots(ours, {}));
    for (const auto& c : runner.commands) {
        for (const auto& argument : c.args) EXPECT_THAT(argument, Not(HasSubstr("pass4711word")));
        for (const auto& [key, value] : c.environment) EXPECT_THAT(value, Not(HasSubstr("pass4711word"))) << key;
        EXPECT_FALSE(c.environment.contains("RESTIC_PASSWORD"));
        EXPECT_EQ(c.directory, "/");
    }
    EXPECT_EQ(runner.commands.back().environment.at("RESTIC_PASSWORD_FILE"), "/etc/pw");
    EXPECT_EQ(runner.commands.back().environment.at("RESTIC_CACHE_DIR"), "/var/cache/x");
    EXPECT_EQ(runner.commands.back().environment.at("PATH"), "/bin");
}

TEST_F(a_session, has_no_secret_in_its_faults)
{
    redactor->add("hunter22");
    runner.script.push_back({.err = "Fatal: parsing repository location failed: parse \"http://me:pass4711word@x y/\" "
                                    "hunter22\n",
                             .end = {.exit_code = 1}});
    const auto r = session->snapshots(ours, {});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::config_invalid);
    EXPECT_THAT(r.error().message, Not(HasSubstr("pass4711word")));
    EXPECT_THAT(r.error().message, Not(HasSubstr("hunter22")));
}

TEST_F(a_session, understands_restic_also_where_a_secret_is_one_of_its_words)
{
    redactor->add("summary");
    redactor->add("message_type");
    runner.script.push_back(capture("0.19.1", "09-backup-first"));
    EXPECT_TRUE(back_up());
}

TEST_F(a_session, asks_for_the_version_once)
{
    runner.script.push_back(prints("[]\n"));
    runner.script.push_back(prints("[]\n"));
    ASSERT_TRUE(session->snapshots(ours, {}));
    ASSERT_TRUE(session->snapshots(ours, {}));
    EXPECT_EQ(engine->version().value_or(""), "0.19.1");
    EXPECT_EQ(runner.commands.size(), 3U);
    EXPECT_EQ(engine->name(), "restic");
}

TEST_F(a_session, tells_that_restic_is_missing)
{
    runner.script.front() = {.cannot_start = base::fault{fault_code::file_failed, "cannot start it", ""}};
    const auto r = session->snapshots(ours, {});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::restic_missing);
    EXPECT_FALSE(r.error().remedy.empty());
}

TEST_F(a_session, refuses_a_restic_that_is_too_old_or_none)
{
    runner.script.front() = prints("restic 0.12.1 compiled with go1.16 on linux/amd64\n");
    EXPECT_THAT(session->snapshots(ours, {}).error().message, HasSubstr("0.12.1 is too old"));
    runner.script.push_back(prints("hello\n"));
    EXPECT_EQ(engine->version().error().code, fault_code::restic_missing);
}

TEST_F(a_session, refuses_a_retention_that_keeps_nothing_and_starts_nothing)
{
    const auto r = session->apply({}, ours, false, {});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::retention_empty);
    EXPECT_TRUE(runner.commands.empty());
}

TEST_F(a_session, refuses_a_scope_that_would_mean_everybodys_snapshots)
{
    for (const auto& s : {engine::scope{"", "t"}, engine::scope{"h", ""}}) {
        EXPECT_EQ(session->apply({.keep_last = 1}, s, false, {}).error().code, fault_code::invalid_value);
        EXPECT_EQ(session->backup({.scope = s, .include = {"/a"}}, {}, {}).error().code, fault_code::invalid_value);
    }
    EXPECT_EQ(session->backup({.scope = ours}, {}, {}).error().code, fault_code::source_missing);
    EXPECT_TRUE(runner.commands.empty());
}

TEST_F(a_session, forgets_without_prune_where_the_rules_or_a_dry_run_say_so)
{
    runner.script.push_back(capture("0.19.1", "48-forget-keep"));
    const auto kept = keep_two(false);
    ASSERT_TRUE(kept);
    EXPECT_FALSE(kept->bytes_freed);
    runner.script.push_back(capture("0.19.1", "46-forget-dry"));
    ASSERT_TRUE(keep_two(true, true));
    EXPECT_THAT(runner.commands.back().args, Contains("--dry-run"));
    EXPECT_EQ(runner.commands.size(), 3U);
}

TEST_F(a_session, prunes_also_where_nothing_was_there_to_forget)
{
    runner.script.push_back(prints(""));
    runner.script.push_back(prints("total prune:           7 blobs / 1.000 KiB\n"));
    const auto r = keep_two(true);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->kept + r->removed, 0U);
    EXPECT_EQ(r->bytes_freed, 1024U);
}

TEST_F(a_session, takes_a_backup_without_snapshot_for_a_failure)
{
    runner.script.push_back(prints(R"({"message_type":"status","percent_done":1})"));
    EXPECT_EQ(back_up().error().code, fault_code::restic_failed);
    auto failed = capture("0.19.1", "09-backup-first");
    failed.end.exit_code = 1;
    runner.script.push_back(failed);
    EXPECT_EQ(back_up().error().code, fault_code::restic_failed) << "exit code 1 with a summary";
}

TEST_F(a_session, takes_a_backup_that_was_done_when_the_stop_came_for_done)
{
    auto done = capture("0.19.1", "09-backup-first");
    done.end = {.kind = how::cancelled, .exit_code = 0};
    runner.script.push_back(done);
    EXPECT_TRUE(back_up());
    done.end = {.kind = how::cancelled, .exit_code = -1, .signal = SIGKILL};
    runner.script.push_back(done);
    EXPECT_EQ(back_up().error().code, fault_code::interrupted);
}

TEST_F(a_session, takes_a_cut_list_for_a_failure)
{
    auto cut = capture("0.19.1", "18-snapshots");
    cut.out.resize(cut.out.size() / 2);
    runner.script.push_back(cut);
    EXPECT_EQ(session->snapshots(ours, {}).error().code, fault_code::restic_failed);
}

TEST_F(a_session, allows_lists_longer_lines_and_every_run_its_time)
{
    runner.script.push_back(prints("[]\n"));
    runner.script.push_back(capture("0.19.1", "34-check"));
    ASSERT_TRUE(session->snapshots(ours, {}));
    ASSERT_TRUE(session->check(engine::no_data, {}));
    EXPECT_EQ(runner.limits[1].longest_line, std::size_t{256} << 20U);
    EXPECT_EQ(runner.limits[2].longest_line, os::process_limits{}.longest_line);
    for (const auto& l : runner.limits) EXPECT_EQ(l.longest, std::chrono::hours{5});
}

TEST_F(a_session, passes_progress_and_the_stop_on)
{
    runner.script.push_back(capture("0.18.0", "09-backup-first"));
    std::vector<double> seen;
    const auto sink = [&](const engine::progress& p) { seen.push_back(p.fraction); };
    ASSERT_TRUE(session->backup({.scope = ours, .include = {"/srv"}}, sink, {}));
    EXPECT_EQ(seen.size(), 3U);
    std::stop_source stop;
    stop.request_stop();
    runner.script.push_back(capture("0.19.1", "34-check"));
    EXPECT_EQ(session->check(engine::no_data, stop.get_token()).error().code, fault_code::interrupted);
}

TEST_F(a_session, cannot_run_where_its_folder_cannot_be_made)
{
    std::ofstream{scratch.path() / "run"} << "a file";
    EXPECT_EQ(session->check(engine::no_data, {}).error().code, fault_code::file_failed);
    EXPECT_EQ(runner.commands.size(), 1U) << "the version only";
}

} // namespace
} // namespace xentz::restic
