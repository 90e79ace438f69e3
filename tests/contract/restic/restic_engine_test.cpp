// The engine with real restics.
#include "contract/restic/real_restic.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <thread>

namespace xentz::restic {
namespace {

using namespace std::chrono_literals;
using base::fault_code;
using domain::run_status;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(real_restic, is_asked_for_its_version)
{
    with_each_restic([](real_repository& r) {
        EXPECT_THAT(r.engine->version().value_or(""), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
    });
}

TEST(real_restic, makes_a_repository_once)
{
    with_each_restic([](real_repository& r) {
        const auto before = r.session->latest(std::nullopt, {});
        ASSERT_FALSE(before);
        EXPECT_EQ(before.error().code, fault_code::repository_missing) << fault_of(before);
        ASSERT_TRUE(r.session->init({}));
        const auto again = r.session->init({});
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().code, fault_code::repository_exists) << fault_of(again);
        const auto newest = r.session->latest(std::nullopt, {});
        ASSERT_TRUE(newest) << fault_of(newest);
        EXPECT_FALSE(*newest);
        EXPECT_THAT(r.session->snapshots(r.ours, {}).value(), IsEmpty());
        EXPECT_TRUE(std::filesystem::is_empty(r.scratch.path() / "run")) << "no address is left";
    });
}

TEST(real_restic, backs_up_and_lists)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        write_file(r.source() / "a.txt", "hello");
        write_file(r.source() / "folder" / "ünïcode and spaces", noise(3'000'000, 1));
        write_file(r.source() / "skipped.tmp", "no");
        std::vector<engine::progress> progress;
        const auto first = r.session->backup({.scope = r.ours, .include = {r.source().string()}, .exclude = {"*.tmp"}},
                                             [&](const engine::progress& p) { progress.push_back(p); }, {});
        ASSERT_TRUE(first) << fault_of(first);
        EXPECT_EQ(first->status, run_status::success);
        EXPECT_EQ(first->metrics.files_total, 2U);
        EXPECT_EQ(first->metrics.files_new, 2U);
        EXPECT_EQ(first->metrics.bytes_total, 3'000'005U);
        EXPECT_GE(first->metrics.data_added_bytes.value_or(0), 3'000'005U);
        for (const auto& p : progress) EXPECT_LE(p.fraction, 1.0);

        const auto unchanged =
            r.session->backup({.scope = r.ours, .include = {r.source().string()}, .exclude = {"*.tmp"}}, {}, {});
        ASSERT_TRUE(unchanged) << fault_of(unchanged);
        EXPECT_EQ(unchanged->metrics.files_new, 0U);
        EXPECT_LT(unchanged->metrics.data_added_bytes.value_or(1'000'000), 10'000U);

        const auto all = r.session->snapshots(r.ours, {});
        ASSERT_TRUE(all) << fault_of(all);
        ASSERT_EQ(all->size(), 2U);
        EXPECT_TRUE(all->at(0).id.starts_with(*first->metrics.snapshot_id));
        EXPECT_TRUE(all->at(1).id.starts_with(*unchanged->metrics.snapshot_id));
        EXPECT_THAT(all->at(0).paths, ElementsAre(r.source().string()));
        EXPECT_THAT(all->at(0).tags, ElementsAre("xentz"));
        EXPECT_EQ(all->at(0).hostname, "this-host");
        const auto newest = r.session->latest(r.ours, {});
        ASSERT_TRUE(newest && *newest);
        EXPECT_EQ((*newest)->id, all->at(1).id);
        EXPECT_THAT(r.session->snapshots(engine::scope{"other", "xentz"}, {}).value(), IsEmpty());

        std::vector<std::string> paths;
        const auto each = [&](const engine::node& n) { paths.push_back(n.path); };
        ASSERT_TRUE(r.session->list(all->at(0).id, "", each, {}));
        EXPECT_THAT(paths, Contains((r.source() / "folder" / "ünïcode and spaces").string()));
        EXPECT_THAT(paths, Not(Contains((r.source() / "skipped.tmp").string())));
        paths.clear();
        ASSERT_TRUE(r.session->list(all->at(0).short_id, (r.source() / "folder").string(), each, {}));
        EXPECT_THAT(paths, ElementsAre((r.source() / "folder").string(),
                                       (r.source() / "folder" / "ünïcode and spaces").string()));
        const auto unknown = r.session->list("deadbeef", "", each, {});
        ASSERT_FALSE(unknown);
        EXPECT_EQ(unknown.error().code, fault_code::snapshot_missing) << fault_of(unknown);
    });
}

TEST(real_restic, makes_a_partial_backup_of_what_can_be_read)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        write_file(r.source() / "good", "1");
        write_file(r.source() / "closed", "2");
        write_file(r.source() / "closed folder" / "inside", "3");
        ASSERT_EQ(::chmod((r.source() / "closed").c_str(), 0), 0);
        ASSERT_EQ(::chmod((r.source() / "closed folder").c_str(), 0), 0);
        const auto unreadable = r.back_up();
        ASSERT_EQ(::chmod((r.source() / "closed folder").c_str(), 0700), 0);
        ASSERT_TRUE(unreadable) << fault_of(unreadable);
        EXPECT_EQ(unreadable->status, run_status::partial);
        EXPECT_EQ(unreadable->unreadable_count, 2U);
        std::vector<std::string> paths;
        for (const auto& u : unreadable->unreadable) {
            paths.push_back(u.path);
            EXPECT_FALSE(u.reason.empty());
        }
        EXPECT_THAT(paths, testing::UnorderedElementsAre((r.source() / "closed").string(),
                                                         (r.source() / "closed folder").string()));
        EXPECT_TRUE(unreadable->metrics.snapshot_id);
        ASSERT_EQ(::chmod((r.source() / "closed").c_str(), 0600), 0);

        const auto missing = r.back_up({"/nonexistent/source"});
        ASSERT_TRUE(missing) << fault_of(missing);
        EXPECT_EQ(missing->status, run_status::partial);
        EXPECT_THAT(missing->missing_sources, ElementsAre("/nonexistent/source"));
        const auto none = r.session->backup({.scope = r.ours, .include = {"/nonexistent/source"}}, {}, {});
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().code, fault_code::source_missing) << fault_of(none);
    });
}

TEST(real_restic, forgets_only_in_its_scope_and_prunes)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        for (unsigned i = 0; i < 3; ++i) {
            write_file(r.source() / "changing", noise(500'000, i));
            ASSERT_TRUE(r.back_up());
        }
        // Another set of paths is no other group: the newest of all is kept.
        write_file(r.scratch.path() / "more" / "file", "x");
        ASSERT_TRUE(r.back_up({(r.scratch.path() / "more").string()}));
        for (const auto& s : {engine::scope{"this-host", "other"}, engine::scope{"other", "xentz"}})
            ASSERT_TRUE(r.session->backup({.scope = s, .include = {r.source().string()}}, {}, {}));
        const auto dry = r.session->apply({.keep_last = 1}, r.ours, true, {});
        ASSERT_TRUE(dry) << fault_of(dry);
        EXPECT_EQ(dry->removed, 3U);
        EXPECT_EQ(r.session->snapshots(r.ours, {}).value().size(), 4U);
        const auto done = r.session->apply({.keep_last = 1, .prune = true}, r.ours, false, {});
        ASSERT_TRUE(done) << fault_of(done);
        EXPECT_EQ(done->kept, 1U);
        EXPECT_EQ(done->removed, 3U);
        EXPECT_EQ(done->removed_ids.size(), 3U);
        EXPECT_GE(done->bytes_freed.value_or(0), 900'000U);
        EXPECT_EQ(r.session->snapshots(r.ours, {}).value().size(), 1U);
        EXPECT_EQ(r.session->snapshots(std::nullopt, {}).value().size(), 3U);
        const auto none = r.session->apply({.keep_last = 1}, {"nobody", "xentz"}, false, {});
        ASSERT_TRUE(none) << fault_of(none);
        EXPECT_EQ(none->kept + none->removed, 0U);
        EXPECT_TRUE(r.session->check(engine::all_data, {}));
    });
}

void make_odd_files(const std::filesystem::path& folder)
{
    write_file(folder / "big", noise(2'000'000, 7));
    write_file(folder / "closed", "secret");
    std::filesystem::permissions(folder / "closed", std::filesystem::perms::owner_read);
    std::filesystem::create_hard_link(folder / "big", folder / "same");
    std::filesystem::create_symlink("/nonexistent/place", folder / "link");
    std::filesystem::create_directory(folder / "empty");
    write_file(folder / "new\nline", "n");
    write_file(folder / "sparse", "begin");
    std::filesystem::resize_file(folder / "sparse", 50'000'001);
    ASSERT_EQ(::setxattr((folder / "big").c_str(), "user.note", "kept", 4, 0), 0);
    const std::array<timespec, 2> times{timespec{.tv_sec = 1'000'000'000},
                                        timespec{.tv_sec = 1'100'000'000, .tv_nsec = 5}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (folder / "sparse").c_str(), times.data(), 0), 0);
}

TEST(real_restic, restores_files_as_they_were)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        make_odd_files(r.source());
        ASSERT_TRUE(r.back_up());
        write_file(r.target() / "was here", std::string(200'000, '\0'));
        std::this_thread::sleep_for(50ms);
        const auto newest = r.session->latest(r.ours, {}).value();
        ASSERT_TRUE(newest);
        const auto done = r.session->restore({.snapshot_id = newest->id, .target = r.target()}, {}, {});
        ASSERT_TRUE(done) << fault_of(done);
        // Its seven entries, and every folder of its path.
        const auto path = r.source().relative_path();
        EXPECT_EQ(done->files, 7U + static_cast<std::uint64_t>(std::distance(path.begin(), path.end())));
        EXPECT_EQ(done->bytes, 2'000'000U + 6U + 1U + 50'000'001U);
        const auto at = r.restored();
        EXPECT_EQ(read_file(at / "big"), noise(2'000'000, 7));
        EXPECT_EQ(read_file(at / "closed"), "secret");
        EXPECT_EQ(read_file(at / "new\nline"), "n");
        EXPECT_EQ(std::filesystem::read_symlink(at / "link"), "/nonexistent/place");
        EXPECT_TRUE(std::filesystem::is_directory(at / "empty"));
        struct ::stat big{};
        struct ::stat same{};
        struct ::stat sparse{};
        ASSERT_EQ(::stat((at / "big").c_str(), &big), 0);
        ASSERT_EQ(::stat((at / "same").c_str(), &same), 0);
        ASSERT_EQ(::stat((at / "sparse").c_str(), &sparse), 0);
        EXPECT_EQ(big.st_ino, same.st_ino);
        EXPECT_EQ(sparse.st_size, 50'000'001);
        EXPECT_LT(sparse.st_blocks * 512, 1'000'000) << "its hole came back";
        EXPECT_EQ(sparse.st_mtim.tv_sec, 1'100'000'000);
        EXPECT_EQ(sparse.st_mtim.tv_nsec, 5);
        std::array<char, 4> note{};
        EXPECT_EQ(::getxattr((at / "big").c_str(), "user.note", note.data(), note.size()), 4);
        struct ::stat was_here{};
        ASSERT_EQ(::stat((r.target() / "was here").c_str(), &was_here), 0);
        EXPECT_GE(was_here.st_blocks * 512, 200'000) << "what was there before keeps its blocks";
    });
}

TEST(real_restic, restores_what_is_asked_for)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        write_file(r.source() / "one", "1");
        write_file(r.source() / "two", "2");
        ASSERT_TRUE(r.back_up());
        const auto newest = r.session->latest(r.ours, {}).value();
        const auto done = r.session->restore(
            {.snapshot_id = newest->id, .target = r.target(), .include = {(r.source() / "two").string()}}, {}, {});
        ASSERT_TRUE(done) << fault_of(done);
        EXPECT_EQ(done->bytes, 1U);
        EXPECT_EQ(read_file(r.restored() / "two"), "2");
        EXPECT_FALSE(std::filesystem::exists(r.restored() / "one"));
        const auto unknown = r.session->restore({.snapshot_id = "deadbeef", .target = r.target()}, {}, {});
        ASSERT_FALSE(unknown);
        EXPECT_EQ(unknown.error().code, fault_code::snapshot_missing) << fault_of(unknown);
    });
}

TEST(real_restic, tells_a_wrong_password_from_a_missing_one)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        write_file(r.scratch.path() / "password", "wrong horse");
        const auto wrong = r.session->latest(r.ours, {});
        ASSERT_FALSE(wrong);
        EXPECT_EQ(wrong.error().code, fault_code::wrong_password) << fault_of(wrong);
        EXPECT_THAT(fault_of(wrong), Not(HasSubstr("wrong horse")));
        write_file(r.scratch.path() / "password", "");
        EXPECT_EQ(r.session->latest(r.ours, {}).error().code, fault_code::password_missing);
        std::filesystem::remove(r.scratch.path() / "password");
        const auto missing = r.session->latest(r.ours, {});
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().code, fault_code::password_missing) << fault_of(missing);
    });
}

TEST(real_restic, finds_damage)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        write_file(r.source() / "big", noise(1'000'000, 3));
        ASSERT_TRUE(r.back_up());
        ASSERT_TRUE(r.session->check(engine::all_data, {}));
        for (const auto& entry : std::filesystem::recursive_directory_iterator{r.repository() / "data"}) {
            if (!entry.is_regular_file() || entry.file_size() < 500'000) continue;
            std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
            std::fstream pack{entry.path(), std::ios::in | std::ios::out | std::ios::binary};
            pack.seekp(400'000);
            pack << "damaged";
        }
        const auto found = r.session->check(engine::all_data, {});
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, fault_code::repository_damaged) << fault_of(found);
        const auto newest = r.session->latest(r.ours, {}).value();
        const auto restored = r.session->restore({.snapshot_id = newest->id, .target = r.target()}, {}, {});
        ASSERT_FALSE(restored);
        EXPECT_EQ(restored.error().code, fault_code::repository_damaged) << fault_of(restored);
    });
}

TEST(real_restic, is_interrupted_cleanly_and_meanwhile_holds_a_lock)
{
    with_each_restic([](real_repository& r) {
        ASSERT_TRUE(r.session->init({}));
        write_file(r.source() / "big", noise(24'000'000, 9));
        const auto slow = r.open({.limit_upload_kib = 3'000});
        std::stop_source stop;
        std::atomic<bool> at_work = false;
        base::result<engine::backup_outcome> backup;
        base::result<> check;
        {
            const std::jthread other{[&] {
                backup = slow->backup(
                    {.scope = r.ours, .include = {r.source().string()}},
                    [&](const engine::progress& p) {
                        if (p.bytes_done > 0) at_work = true;
                    },
                    stop.get_token());
            }};
            for (int i = 0; i < 1'000; ++i) {
                if (std::filesystem::exists(r.repository() / "locks") &&
                    !std::filesystem::is_empty(r.repository() / "locks"))
                    break;
                std::this_thread::sleep_for(10ms);
            }
            check = r.session->check(engine::no_data, {});
            // restic 0.14 leaves its lock behind where it is interrupted in the moment in which it takes it.
            for (int i = 0; i < 1'000 && !at_work; ++i) std::this_thread::sleep_for(10ms);
            stop.request_stop();
        }
        ASSERT_FALSE(check);
        EXPECT_EQ(check.error().code, fault_code::repository_locked) << fault_of(check);
        EXPECT_THAT(check.error().message, testing::ContainsRegex("by PID [0-9]+ on .* since 20[0-9][0-9]-"));
        ASSERT_FALSE(backup);
        EXPECT_EQ(backup.error().code, fault_code::interrupted) << fault_of(backup);
        EXPECT_TRUE(std::filesystem::is_empty(r.repository() / "locks"));
        EXPECT_TRUE(r.session->check(engine::no_data, {}));
        EXPECT_THAT(r.session->snapshots(std::nullopt, {}).value(), IsEmpty());
    });
}

TEST(no_restic, is_told)
{
    const fakes::scratch_folder scratch;
    const auto runner = os::make_process_runner();
    const auto engine =
        make_restic_engine({.program = "/nonexistent/restic", .runtime_directory = scratch.path()}, *runner);
    EXPECT_EQ(engine->version().error().code, fault_code::restic_missing);
}

} // namespace
} // namespace xentz::restic
