// Recorded runs of restic through a whole session.
#include "base/time_text.hpp"
#include "unit/restic/session_fixture.hpp"

namespace xentz::restic {
namespace {

using base::fault_code;
using testing::Contains;
using testing::ElementsAre;

class recorded_session : public a_session, public testing::WithParamInterface<std::string> {
protected:
    void SetUp() override { start(GetParam()); }
    void replay(const std::string& name) { runner.script.push_back(capture(GetParam(), name)); }
};
INSTANTIATE_TEST_SUITE_P(all, recorded_session, testing::ValuesIn(recorded_versions()), version_name);

TEST_P(recorded_session, makes_a_repository_once)
{
    replay("05-init");
    EXPECT_TRUE(session->init({}));
    replay("06-init-again");
    const auto again = session->init({});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, fault_code::repository_exists);
}

TEST_P(recorded_session, backs_up)
{
    replay("09-backup-first");
    const auto first = back_up();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->status, domain::run_status::success);
    EXPECT_EQ(first->metrics.bytes_total, 9100003U);
    for (const auto* name : {"66-backup-one-missing-path", "67-backup-unreadable"}) {
        replay(name);
        const auto incomplete = back_up();
        ASSERT_TRUE(incomplete) << name;
        EXPECT_EQ(incomplete->status, domain::run_status::partial) << name;
        EXPECT_TRUE(incomplete->metrics.snapshot_id) << name;
    }
}

TEST_P(recorded_session, tells_why_a_backup_failed)
{
    const std::vector<std::pair<std::string, fault_code>> all{
        {"04-missing-repo-backup", fault_code::repository_missing},
        {"56-wrong-password-backup", fault_code::wrong_password},
        {"65-backup-missing-path", fault_code::source_missing},
        {"84-sigint-backup", fault_code::interrupted},
        {"86-sigterm-backup", fault_code::interrupted},
        {"104-rest-server-gone", fault_code::repository_unreachable},
        {"113-rest-quota-backup", fault_code::repository_full}};
    for (const auto& [name, code] : all) {
        replay(name);
        const auto r = back_up();
        ASSERT_FALSE(r) << name;
        EXPECT_EQ(base::name(r.error().code), base::name(code)) << name << ": " << r.error().message;
    }
}

TEST_P(recorded_session, lists_snapshots_and_the_newest)
{
    replay("18-snapshots");
    const auto all = session->snapshots(std::nullopt, {});
    ASSERT_TRUE(all);
    EXPECT_EQ(all->size(), 9U);
    replay("19-snapshots-latest");
    const auto newest = session->latest(ours, {});
    ASSERT_TRUE(newest && *newest);
    EXPECT_EQ((*newest)->id, all->back().id);
    replay("21-snapshots-nomatch");
    const auto none = session->latest(ours, {});
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
    replay("55-wrong-password");
    EXPECT_EQ(session->latest(ours, {}).error().code, fault_code::wrong_password);
}

TEST_P(recorded_session, lists_nodes)
{
    std::vector<std::string> paths;
    const auto each = [&](const engine::node& n) { paths.push_back(n.path); };
    replay("22-ls");
    EXPECT_TRUE(session->list("latest", "", each, {}));
    EXPECT_EQ(paths.size(), 13U);
    EXPECT_THAT(paths, Contains("/src/spaced dir/ünïcode.txt"));
    replay("23-ls-badid");
    const auto unknown = session->list("deadbeef", "", each, {});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, fault_code::snapshot_missing);
    EXPECT_EQ(paths.size(), 13U);
}

TEST_P(recorded_session, forgets_then_prunes)
{
    replay("48-forget-keep");
    replay("52-prune-text");
    const auto r = keep_two(true);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->kept, 2U);
    EXPECT_EQ(r->removed, 3U);
    EXPECT_EQ(r->bytes_freed, 0U);
    ASSERT_EQ(runner.commands.size(), 3U);
    EXPECT_EQ(runner.commands[1].args[0], "forget");
    EXPECT_EQ(runner.commands[2].args[0], "prune");
}

TEST_P(recorded_session, tells_that_an_append_only_server_forgets_nothing)
{
    replay("106-rest-appendonly-forget");
    const auto r = keep_two(true);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::repository_append_only);
    EXPECT_FALSE(r.error().remedy.empty());
    EXPECT_EQ(runner.commands.size(), 2U) << "no prune after a forget that failed";
}

TEST_P(recorded_session, tells_that_a_prune_found_a_lock)
{
    replay("48-forget-keep");
    replay("79-locked-prune");
    const auto r = keep_two(true);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::repository_locked);
}

TEST_P(recorded_session, checks)
{
    replay("34-check");
    EXPECT_TRUE(session->check(engine::no_data, {}));
    replay("93-damaged-check-read-data");
    EXPECT_EQ(session->check(engine::all_data, {}).error().code, fault_code::repository_damaged);
    EXPECT_THAT(runner.commands.back().args, Contains("--read-data"));
}

TEST_P(recorded_session, tells_which_repository_it_is)
{
    replay("32-cat-config");
    const auto id = session->repository_id({});
    ASSERT_TRUE(id) << id.error().message;
    EXPECT_EQ(id->size(), 64U);
    EXPECT_THAT(runner.commands.back().args, ElementsAre("cat", "--no-lock", "config"));
    replay("55-wrong-password");
    EXPECT_EQ(session->repository_id({}).error().code, fault_code::wrong_password);
}

TEST_P(recorded_session, reads_every_lock)
{
    replay("76-list-locks");
    const auto listed = lines_of(capture(GetParam(), "76-list-locks").out);
    ASSERT_EQ(listed.size(), 1U);
    runner.script.push_back(prints("{\n  \"time\": \"2026-11-23T14:20:44.5+01:00\",\n  \"exclusive\": true,\n  "
                                   "\"hostname\": \"vm\",\n  \"username\": \"lab\",\n  \"pid\": 32032\n}\n"));
    const auto locks = session->locks({});
    ASSERT_TRUE(locks) << locks.error().message;
    ASSERT_EQ(locks->size(), 1U);
    EXPECT_EQ(locks->at(0).id, listed[0]);
    EXPECT_EQ(locks->at(0).host, "vm");
    EXPECT_EQ(locks->at(0).user, "lab");
    EXPECT_EQ(locks->at(0).process_id, 32032);
    EXPECT_TRUE(locks->at(0).exclusive);
    EXPECT_EQ(locks->at(0).since, base::parse_rfc3339("2026-11-23T13:20:44.5Z"));
    EXPECT_THAT(runner.commands.back().args, ElementsAre("cat", "--no-lock", "lock", listed[0]));
    replay("85-list-locks-after-sigint");
    EXPECT_TRUE(session->locks({}).value().empty());
    replay("108-rest-401");
    EXPECT_EQ(session->locks({}).error().code, fault_code::repository_refused);
}

TEST_P(recorded_session, passes_over_a_lock_that_vanished)
{
    replay("76-list-locks");
    runner.script.push_back({.err = "Fatal: unable to load lock: does not exist\n", .end = {.exit_code = 1}});
    const auto locks = session->locks({});
    ASSERT_TRUE(locks);
    EXPECT_TRUE(locks->empty());
}

TEST_P(recorded_session, removes_dead_locks)
{
    replay("82-unlock");
    EXPECT_TRUE(session->unlock({}));
    EXPECT_THAT(runner.commands.back().args, ElementsAre("unlock"));
}

TEST_P(recorded_session, lists_the_keys)
{
    replay("30-key-list");
    const auto keys = session->keys({});
    ASSERT_TRUE(keys) << keys.error().message;
    ASSERT_EQ(keys->size(), 1U);
    EXPECT_EQ(keys->front().id.substr(0, 8).find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(keys->front().current);
    EXPECT_EQ(keys->front().host, "vm");
}

TEST_P(recorded_session, takes_no_notice_of_a_dead_shared_lock_for_a_backup)
{
    replay("80-shared-lock-backup-ok");
    EXPECT_TRUE(back_up());
}

TEST_P(recorded_session, is_not_kept_by_a_full_server_for_longer_than_its_first_word)
{
    replay("113-rest-quota-backup");
    const auto r = back_up();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, fault_code::repository_full);
    const bool tries_again = GetParam() != "0.19.1";
    EXPECT_EQ(runner.interrupted, tries_again);
    EXPECT_EQ(r.error().message.find("Save(<data/") != std::string::npos, tries_again);
}

TEST_P(recorded_session, restores)
{
    replay("102-rest-restore");
    const auto r = session->restore({.snapshot_id = "latest", .target = scratch.path() / "target"}, {}, {});
    ASSERT_TRUE(r);
    // 0.14 prints no figures, and the recorded run left nothing on this disk to count.
    EXPECT_EQ(r->files, GetParam() == "0.14.0" ? 0U : 16U);
    EXPECT_EQ(r->bytes, GetParam() == "0.14.0" ? 0U : 39080022U);
    replay("41-restore-badid");
    const auto unknown = session->restore({.snapshot_id = "deadbeef", .target = scratch.path() / "target"}, {}, {});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, fault_code::snapshot_missing);
}

} // namespace
} // namespace xentz::restic
