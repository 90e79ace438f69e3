#include "restic/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xentz::restic {
namespace {

using testing::ElementsAre;

invocation with(version v) { return {.version = v}; }

const invocation oldest = with({0, 14, 0});
const invocation newest = with({0, 19, 1});

TEST(command_line, of_a_backup_is_the_same_in_every_version)
{
    const engine::backup_request r{
        .scope = {"h1", "xentz"}, .include = {"/srv", "/-odd"}, .exclude = {"*.tmp", "--json"}};
    EXPECT_THAT(backup_arguments(oldest, r),
                ElementsAre("backup", "--json", "--cleanup-cache", "--host", "h1", "--tag", "xentz", "--exclude=*.tmp",
                            "--exclude=--json", "--", "/srv", "/-odd"));
    EXPECT_EQ(backup_arguments(newest, r), backup_arguments(oldest, r));
}

TEST(command_line, carries_the_options_of_the_repository)
{
    auto i = oldest;
    i.options = {.compression = "max", .limit_upload_kib = 100, .limit_download_kib = 200};
    i.ca_file = "/etc/ca.pem";
    EXPECT_THAT(backup_arguments(i, {.scope = {"h", "t"}, .include = {"/srv"}}),
                ElementsAre("backup", "--limit-upload", "100", "--limit-download", "200", "--cacert", "/etc/ca.pem",
                            "--json", "--cleanup-cache", "--host", "h", "--tag", "t", "--compression", "max", "--",
                            "/srv"));
    EXPECT_THAT(check_arguments(i, engine::no_data),
                ElementsAre("check", "--limit-upload", "100", "--limit-download", "200", "--cacert", "/etc/ca.pem"));
}

TEST(command_line, carries_the_options_of_a_backup)
{
    auto i = newest;
    i.options = {.compression = "off",
                 .read_concurrency = 8,
                 .pack_size_mib = 64,
                 .exclude_caches = true,
                 .one_file_system = true,
                 .exclude_files = std::vector<std::string>{"/etc/no backup"},
                 .tags = std::vector<std::string>{"db", "-odd"}};
    const engine::backup_request r{.scope = {"h", "t"}, .include = {"/srv"}};
    EXPECT_THAT(backup_arguments(i, r),
                ElementsAre("backup", "--pack-size", "64", "--json", "--cleanup-cache", "--host", "h", "--tag", "t",
                            "--tag=db", "--tag=-odd", "--compression", "off", "--read-concurrency", "8",
                            "--exclude-caches", "--one-file-system", "--exclude-file=/etc/no backup", "--", "/srv"));
    EXPECT_TRUE(unsupported_options(i).empty());
    i.options.exclude_caches = i.options.one_file_system = false;
    EXPECT_THAT(backup_arguments(i, r), testing::Not(testing::AnyOf(testing::Contains("--exclude-caches"),
                                                                    testing::Contains("--one-file-system"))));
    i.version = oldest.version;
    EXPECT_THAT(backup_arguments(i, r), testing::Not(testing::Contains("--read-concurrency")));
    EXPECT_THAT(unsupported_options(i), ElementsAre("restic.read_concurrency"));
}

TEST(command_line, of_reading_locks_takes_none)
{
    EXPECT_THAT(repository_config_arguments(oldest), ElementsAre("cat", "--no-lock", "config"));
    EXPECT_THAT(lock_list_arguments(oldest), ElementsAre("list", "--no-lock", "locks"));
    EXPECT_THAT(lock_arguments(oldest, "ab"), ElementsAre("cat", "--no-lock", "lock", "ab"));
    EXPECT_THAT(unlock_arguments(oldest), ElementsAre("unlock"));
}

TEST(command_line, of_keys_names_files_and_ids_and_no_password)
{
    EXPECT_THAT(key_list_arguments(oldest), ElementsAre("key", "--json", "list"));
    EXPECT_THAT(key_add_arguments(oldest, "/h/next"), ElementsAre("key", "add", "--new-password-file", "/h/next"));
    EXPECT_THAT(key_remove_arguments(oldest, "ab"), ElementsAre("key", "remove", "--", "ab"));
}

TEST(command_line, of_a_restore_asks_old_versions_for_neither_holes_nor_json)
{
    const engine::restore_request r{.snapshot_id = "abcd", .target = "/t", .include = {"/a", "-b"}};
    EXPECT_THAT(restore_arguments(oldest, r),
                ElementsAre("restore", "--target", "/t", "--include=/a", "--include=-b", "--", "abcd"));
    EXPECT_THAT(restore_arguments(with({0, 15, 2}), r),
                ElementsAre("restore", "--sparse", "--target", "/t", "--include=/a", "--include=-b", "--", "abcd"));
    EXPECT_THAT(restore_arguments(newest, r), ElementsAre("restore", "--json", "--sparse", "--target", "/t",
                                                          "--include=/a", "--include=-b", "--", "abcd"));
}

TEST(command_line, of_a_check_asks_new_versions_for_json)
{
    EXPECT_THAT(check_arguments(oldest, engine::all_data), ElementsAre("check", "--read-data"));
    EXPECT_THAT(check_arguments(oldest, {3, 30}), ElementsAre("check", "--read-data-subset=3/30"));
    EXPECT_THAT(check_arguments(newest, engine::no_data), ElementsAre("check", "--json"));
}

TEST(command_line, of_forget_names_scope_grouping_and_only_the_rules_that_are_set)
{
    const domain::retention r{.keep_last = 3, .keep_monthly = 12, .keep_within = "1y"};
    EXPECT_THAT(forget_arguments(oldest, r, {"h", "t"}, false),
                ElementsAre("forget", "--json", "--host", "h", "--tag", "t", "--group-by", "host,tags", "--keep-last",
                            "3", "--keep-monthly", "12", "--keep-within", "1y"));
    const domain::retention others{.keep_daily = 1, .keep_weekly = 2, .keep_yearly = 4};
    EXPECT_THAT(forget_arguments(oldest, others, {"h", "t"}, true),
                ElementsAre("forget", "--json", "--host", "h", "--tag", "t", "--group-by", "host,tags", "--keep-daily",
                            "1", "--keep-weekly", "2", "--keep-yearly", "4", "--dry-run"));
}

TEST(command_line, of_the_others)
{
    EXPECT_THAT(version_arguments(), ElementsAre("version"));
    EXPECT_THAT(init_arguments(oldest), ElementsAre("init", "--json"));
    EXPECT_THAT(prune_arguments(newest), ElementsAre("prune"));
    EXPECT_THAT(snapshots_arguments(oldest, std::nullopt), ElementsAre("snapshots", "--json"));
    EXPECT_THAT(latest_arguments(oldest, engine::scope{"h", "t"}),
                ElementsAre("snapshots", "--json", "--host", "h", "--tag", "t", "--latest", "1"));
    EXPECT_THAT(list_arguments(oldest, "-x", ""), ElementsAre("ls", "--json", "--", "-x"));
    EXPECT_THAT(list_arguments(oldest, "abcd", "/srv"), ElementsAre("ls", "--json", "--", "abcd", "/srv"));
}

} // namespace
} // namespace xentz::restic
