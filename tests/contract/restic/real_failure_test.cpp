// Why real restics fail, and how soon it is known: refused, full, gone, killed, out of memory. The README of this
// folder maps what restic can say to the tests.
#include "contract/restic/real_restic.hpp"
#include "contract/restic/strict_server.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace xentz::restic {
namespace {

using namespace std::chrono_literals;
using base::fault_code;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto soon = 20s; // restic alone would try for 44 seconds or a quarter of an hour

class stopwatch {
public:
    std::chrono::steady_clock::duration elapsed() const { return std::chrono::steady_clock::now() - start_; }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void wait_for(const std::function<bool()>& condition)
{
    for (int i = 0; i < 2'000 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    ASSERT_TRUE(condition());
}

bool refuses_removal(std::string_view method, std::string_view path)
{
    return method == "DELETE" && !path.starts_with("/r/locks/");
}

TEST(real_restic, is_told_at_once_that_it_may_not_remove)
{
    with_each_restic([](real_repository& r) {
        strict_server server;
        const auto session = r.open_at(server.address());
        ASSERT_TRUE(session->init({}));
        for (unsigned i = 0; i < 2; ++i) {
            write_file(r.source() / "changing", noise(300'000, i));
            ASSERT_TRUE(session->backup({.scope = r.ours, .include = {r.source().string()}}, {}, {}));
        }
        server.refuse([](auto method, auto path) { return refuses_removal(method, path) ? 403 : 0; });
        const stopwatch watch;
        const auto forgotten = session->apply({.keep_last = 1}, r.ours, false, {});
        ASSERT_FALSE(forgotten);
        EXPECT_EQ(forgotten.error().code, fault_code::repository_append_only) << fault_of(forgotten);
        EXPECT_LT(watch.elapsed(), soon);
        EXPECT_FALSE(server.holds("/r/locks/")) << "its lock is removed";
        EXPECT_EQ(session->snapshots(r.ours, {}).value().size(), 2U);
    });
}

TEST(real_restic, is_told_at_once_that_it_may_not_prune)
{
    with_each_restic([](real_repository& r) {
        strict_server server;
        const auto session = r.open_at(server.address());
        ASSERT_TRUE(session->init({}));
        for (unsigned i = 0; i < 2; ++i) {
            write_file(r.source() / "changing", noise(300'000, i));
            ASSERT_TRUE(session->backup({.scope = r.ours, .include = {r.source().string()}}, {}, {}));
        }
        server.refuse([](auto method, auto path) {
            return refuses_removal(method, path) && !path.starts_with("/r/snapshots/") ? 403 : 0;
        });
        const stopwatch watch;
        const auto pruned = session->apply({.keep_last = 1, .prune = true}, r.ours, false, {});
        ASSERT_FALSE(pruned);
        EXPECT_EQ(pruned.error().code, fault_code::repository_append_only) << fault_of(pruned);
        EXPECT_LT(watch.elapsed(), soon);
        EXPECT_FALSE(server.holds("/r/locks/"));
    });
}

TEST(real_restic, is_told_at_once_that_the_server_is_full)
{
    with_each_restic([](real_repository& r) {
        strict_server server;
        const auto session = r.open_at(server.address());
        ASSERT_TRUE(session->init({}));
        server.refuse(
            [](auto method, auto path) { return method == "POST" && path.starts_with("/r/data/") ? 507 : 0; });
        write_file(r.source() / "big", noise(20'000'000, 1));
        const stopwatch watch;
        const auto full = session->backup({.scope = r.ours, .include = {r.source().string()}}, {}, {});
        ASSERT_FALSE(full);
        EXPECT_EQ(full.error().code, fault_code::repository_full) << fault_of(full);
        EXPECT_LT(watch.elapsed(), soon);
        EXPECT_FALSE(server.holds("/r/locks/"));
        EXPECT_FALSE(server.holds("/r/snapshots/"));
    });
}

TEST(real_restic, is_told_at_once_that_it_is_refused)
{
    with_each_restic([](real_repository& r) {
        for (const int status : {401, 403}) {
            strict_server server;
            const auto session = r.open_at(server.address());
            server.refuse([=](auto, auto) { return status; });
            const stopwatch watch;
            const auto opened = session->repository_id({});
            ASSERT_FALSE(opened);
            EXPECT_EQ(opened.error().code, fault_code::repository_refused) << fault_of(opened);
            const auto made = session->init({});
            ASSERT_FALSE(made);
            EXPECT_EQ(made.error().code, fault_code::repository_refused) << fault_of(made);
            EXPECT_LT(watch.elapsed(), soon);
        }
    });
}

TEST(real_restic, is_refused_in_the_middle_of_a_backup)
{
    with_each_restic([](real_repository& r) {
        strict_server server;
        const auto session = r.open_at(server.address());
        ASSERT_TRUE(session->init({}));
        server.refuse(
            [](auto method, auto path) { return method == "POST" && path.starts_with("/r/data/") ? 401 : 0; });
        write_file(r.source() / "big", noise(20'000'000, 1));
        const stopwatch watch;
        const auto refused = session->backup({.scope = r.ours, .include = {r.source().string()}}, {}, {});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, fault_code::repository_refused) << fault_of(refused);
        EXPECT_LT(watch.elapsed(), soon);
    });
}

TEST(real_restic, whose_lock_is_not_removed_at_once_has_made_its_backup)
{
    with_each_restic([](real_repository& r) {
        strict_server server;
        const auto session = r.open_at(server.address());
        ASSERT_TRUE(session->init({}));
        std::atomic<int> refused = 0;
        server.refuse([&](auto method, auto) { return method == "DELETE" && refused++ == 0 ? 403 : 0; });
        write_file(r.source() / "file", "x");
        const auto done = session->backup({.scope = r.ours, .include = {r.source().string()}}, {}, {});
        ASSERT_TRUE(done) << fault_of(done);
        EXPECT_TRUE(done->metrics.snapshot_id);
        EXPECT_GE(refused, 1);
    });
}

TEST(real_restic, knows_soon_that_a_server_cannot_be_reached)
{
    with_each_restic([](real_repository& r) {
        const auto engine = r.make_engine({.longest_opening = 3s});
        const auto session = std::move(*engine->open(
            {.address = "rest:http://me:pass4711word@127.0.0.1:9/r/", .password_file = r.scratch.path() / "password"}));
        const stopwatch watch;
        const auto newest = session->latest(r.ours, {});
        ASSERT_FALSE(newest);
        EXPECT_EQ(newest.error().code, fault_code::repository_unreachable) << fault_of(newest);
        EXPECT_THAT(fault_of(newest), testing::Not(HasSubstr("pass4711word")));
        EXPECT_LT(watch.elapsed(), 15s);
    });
}

TEST(real_restic, goes_on_trying_where_the_server_went_away_in_the_middle)
{
    with_each_restic([](real_repository& r) {
        const auto engine = r.make_engine({.limits = {.grace = 3s}, .longest_opening = 1s});
        strict_server server;
        const auto session =
            std::move(*engine->open({.address = server.address(), .password_file = r.scratch.path() / "password"}));
        ASSERT_TRUE(session->init({}));
        std::atomic<bool> at_work = false;
        server.refuse([&](auto method, auto path) {
            if (method == "POST" && path.starts_with("/r/data/")) at_work = true;
            return 0;
        });
        write_file(r.source() / "big", noise(60'000'000, 1));
        std::stop_source stop;
        std::atomic<bool> ended = false;
        base::result<engine::backup_outcome> backup;
        {
            const std::jthread other{[&] {
                backup = session->backup({.scope = r.ours, .include = {r.source().string()}}, {}, stop.get_token());
                ended = true;
            }};
            wait_for([&] { return at_work.load(); });
            server.go_away();
            std::this_thread::sleep_for(4s);
            EXPECT_FALSE(ended) << "restic's own patience is longer than that of the opening: " << fault_of(backup);
            stop.request_stop();
        }
        ASSERT_FALSE(backup);
        EXPECT_EQ(backup.error().code, fault_code::interrupted) << fault_of(backup);
    });
}

// A backup that goes on for as long as a test needs; it ends when `meanwhile` has made it end.
base::result<engine::backup_outcome> back_up_slowly(real_repository& r, const std::function<void(pid_t)>& meanwhile)
{
    write_file(r.source() / "big", noise(24'000'000, 9));
    std::atomic<pid_t> process = 0;
    std::atomic<bool> at_work = false;
    const auto slow = r.open({.address = r.repository().string(),
                              .password_file = r.scratch.path() / "password",
                              .options = {.limit_upload_kib = 2'000},
                              .on_process = [&](std::int64_t id) { process = static_cast<pid_t>(id); }});
    base::result<engine::backup_outcome> backup;
    {
        const std::jthread other{[&] {
            backup = slow->backup({.scope = r.ours, .include = {r.source().string()}},
                                  [&](const engine::progress& p) {
                                      if (p.bytes_done > 0) at_work = true;
                                  },
                                  {});
        }};
        wait_for([&] { return at_work.load(); });
        meanwhile(process);
    }
    return backup;
}

TEST(real_restic, says_who_holds_the_repository_and_since_when)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        EXPECT_THAT(r.session->locks({}).value(), IsEmpty());
        std::ignore = back_up_slowly(r, [&](pid_t process) {
            const auto locks = r.session->locks({});
            ASSERT_TRUE(locks) << fault_of(locks);
            ASSERT_EQ(locks->size(), 1U) << "asking takes no lock";
            EXPECT_EQ(locks->at(0).process_id, process);
            EXPECT_EQ(locks->at(0).id.size(), 64U);
            EXPECT_FALSE(locks->at(0).host.empty());
            EXPECT_FALSE(locks->at(0).exclusive);
            const auto age = std::chrono::system_clock::now() - locks->at(0).since;
            EXPECT_LT(age, 1min);
            EXPECT_GT(age, -1s);
            const auto check = r.session->check(engine::no_data, {});
            ASSERT_FALSE(check);
            EXPECT_EQ(check.error().code, fault_code::repository_locked);
            EXPECT_THAT(check.error().message, HasSubstr("by PID " + std::to_string(process) + " on "));
            EXPECT_THAT(check.error().message, testing::ContainsRegex(" since 20[0-9][0-9]-"));
            EXPECT_TRUE(r.session->unlock({}));
            EXPECT_EQ(r.session->locks({}).value().size(), 1U) << "a living holder keeps its lock";
            ::kill(process, SIGKILL);
        });
    });
}

TEST(real_restic, that_was_killed_leaves_a_lock_that_can_be_removed)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        pid_t killed_process = 0;
        const auto killed = back_up_slowly(r, [&](pid_t process) {
            killed_process = process;
            ::kill(process, SIGKILL);
        });
        ASSERT_FALSE(killed);
        EXPECT_EQ(killed.error().code, fault_code::restic_killed) << fault_of(killed);
        EXPECT_THAT(killed.error().message, HasSubstr("SIGKILL"));
        const auto left = r.session->locks({});
        ASSERT_TRUE(left) << fault_of(left);
        ASSERT_EQ(left->size(), 1U);
        EXPECT_EQ(left->at(0).process_id, killed_process);
        EXPECT_TRUE(r.back_up()) << "a backup goes on beside a dead lock";
        const auto check = r.session->check(engine::no_data, {});
        ASSERT_FALSE(check);
        EXPECT_EQ(check.error().code, fault_code::repository_locked) << fault_of(check);
        ASSERT_TRUE(r.session->unlock({}));
        EXPECT_THAT(r.session->locks({}).value(), IsEmpty());
        EXPECT_TRUE(r.session->check(engine::no_data, {}));
    });
}

TEST(real_restic, that_was_asked_to_end_is_interrupted)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        const auto ended = back_up_slowly(r, [](pid_t process) { ::kill(process, SIGTERM); });
        ASSERT_FALSE(ended);
        EXPECT_EQ(ended.error().code, fault_code::interrupted) << fault_of(ended);
    });
}

TEST(real_restic, that_crashed_has_crashed)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        const auto crashed = back_up_slowly(r, [](pid_t process) { ::kill(process, SIGABRT); });
        ASSERT_FALSE(crashed);
        EXPECT_EQ(crashed.error().code, fault_code::restic_crashed) << fault_of(crashed);
        EXPECT_LE(crashed.error().message.size(), 600U);
    });
}

TEST(real_restic, that_gets_no_memory_says_so)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        const auto limited = r.scratch.path() / "restic-with-little-memory";
        write_file(limited,
                   "#!/bin/sh\n[ \"$1\" = backup ] && ulimit -v 700000\nexec " + r.program.string() + " \"$@\"\n");
        std::filesystem::permissions(limited, std::filesystem::perms::owner_all);
        const auto engine = r.make_engine({.program = limited});
        const auto session = std::move(
            *engine->open({.address = r.repository().string(), .password_file = r.scratch.path() / "password"}));
        const auto backup = session->backup({.scope = r.ours, .include = {r.source().string()}}, {}, {});
        ASSERT_FALSE(backup);
        EXPECT_EQ(backup.error().code, fault_code::out_of_memory) << fault_of(backup);
    });
}

TEST(real_restic, is_the_same_repository_until_it_is_made_anew)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        const auto first = r.session->repository_id({});
        ASSERT_TRUE(first) << fault_of(first);
        EXPECT_THAT(*first, testing::MatchesRegex("[0-9a-f]{64}"));
        ASSERT_TRUE(r.back_up());
        EXPECT_EQ(r.session->repository_id({}).value(), *first);
        std::filesystem::remove_all(r.repository());
        EXPECT_EQ(r.session->repository_id({}).error().code, fault_code::repository_missing);
        ASSERT_TRUE(r.session->init({}));
        EXPECT_NE(r.session->repository_id({}).value(), *first);
    });
}

} // namespace
} // namespace xentz::restic
