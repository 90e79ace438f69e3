// A copy from each engine into each other one, on a real disk and on one that breaks.
#include "fixture.hpp"

#include "support/golden.hpp"

#include <atomic>
#include <thread>

namespace xentz::recovery {
namespace {

class each_way : public copy, public testing::WithParamInterface<route> {};

INSTANTIATE_TEST_SUITE_P(engines, each_way,
                         testing::Values(route{engine::sqlite, engine::sqlite},
                                         route{engine::sqlite, engine::postgresql},
                                         route{engine::postgresql, engine::sqlite},
                                         route{engine::postgresql, engine::postgresql}),
                         [](const auto& r) { return test::name(r.param.from) + "_to_" + test::name(r.param.to); });

TEST_P(each_way, every_row_arrives_as_it_was)
{
    control_plane from{GetParam().from};
    from.fill();
    const auto made = make(from);
    ASSERT_TRUE(made) << made.error().message;
    const auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;

    const test::fresh_database empty{GetParam().to};
    const auto target = sql::open_database(empty.address());
    copied_rows source{files, at / opened->manifest.database.name};
    const auto done = store::all_rows{target}.restore(
        opened->manifest.schema, source, {.id = "epoch_1", .began_at = clock.now(), .copy_made_at = made->made_at});
    ASSERT_TRUE(done) << done.error().message;

    // What a restore changes on purpose is taken back by hand; then nothing may differ.
    target->write([&](sql::connection& c) {
        c.query("update install_token set revoked_at = null");
        c.query("update repository set generation = generation - 1000");
        c.query("delete from repository_state where repository_id = 'repo_two'");
        c.query("update repository_state set place = place - 1000000000");
        c.query("delete from epoch");
    });
    as_text restored;
    ASSERT_TRUE(store::all_rows{target}.read(restored));
    std::ranges::sort(restored.lines);
    EXPECT_EQ(restored.lines, from.rows());
    EXPECT_GT(restored.lines.size(), 300U);
}

TEST_F(copy, opens_with_its_passphrase_or_its_recovery_sheet_and_with_nothing_else)
{
    control_plane from{engine::sqlite};
    from.fill();
    ASSERT_TRUE(make(from));
    const auto opened = open();
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->key.text(), key.text());
    EXPECT_EQ(opened->settings->text, "database=postgresql://xentz:secret@db/x\n");
    EXPECT_EQ(opened->settings->path, "/etc/xentz-server/server.conf");
    EXPECT_EQ(open("another passphrase").error().code, fault_code::wrong_password);
    const auto folder = *copy_folder::open(files, at);
    EXPECT_TRUE(open_copy(files, folder, {.passphrase = {}, .key = key}));
    EXPECT_EQ(open_copy(files, folder, {.passphrase = {}, .key = crypto::master_key::generate(random)}).error().code,
              fault_code::conflict);
}

TEST_F(copy, holds_no_secret_in_the_open)
{
    control_plane from{engine::sqlite};
    from.fill();
    const auto made = make(from);
    ASSERT_TRUE(made);
    for (const auto& name :
         {made->database.name, made->master_key.name, made->settings->name, std::string{"manifest.json"}}) {
        const auto text = read(name);
        for (const auto& secret : {key.text(), std::string{phrase}, std::string{"secret@db"}})
            EXPECT_EQ(text.find(secret), std::string::npos) << name;
    }
}

TEST_F(copy, one_altered_byte_anywhere_is_told_before_anything_is_restored)
{
    control_plane from{engine::sqlite};
    from.store.set_setting("initialised_at", "now");
    const auto made = make(from);
    ASSERT_TRUE(made);
    for (const auto& name :
         {made->database.name, made->master_key.name, made->settings->name, std::string{"manifest.json"}}) {
        const auto whole = read(name);
        const std::size_t step = name == "manifest.json" ? 13 : 31;
        for (std::size_t i = 0; i < whole.size(); i += step) {
            if (whole[i] == ' ' || whole[i] == '\n') continue;
            auto altered = whole;
            altered[i] = altered[i] == '1' ? '2' : '1';
            ASSERT_TRUE(os::write_atomic(files, at / name, altered));
            EXPECT_FALSE(open()) << name << " at " << i;
        }
        ASSERT_TRUE(os::write_atomic(files, at / name, whole.substr(0, whole.size() / 2)));
        EXPECT_FALSE(open()) << name;
        ASSERT_TRUE(files.remove(at / name));
        EXPECT_FALSE(open()) << name;
        ASSERT_TRUE(os::write_atomic(files, at / name, whole));
    }
    EXPECT_TRUE(open());
}

TEST_F(copy, a_new_one_takes_the_place_of_the_old)
{
    control_plane from{engine::sqlite};
    const auto first = make(from);
    from.store.set_setting("initialised_at", "now");
    clock.advance(std::chrono::hours{24});
    const auto second = make(from);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(open()->manifest.made_at, clock.now());
    EXPECT_FALSE(files.info(at / first->database.name));
    EXPECT_TRUE(files.info(at / second->database.name));
}

// Whenever the power goes, there is a whole copy: the old one or the new one.
TEST_F(copy, the_old_one_stays_whole_until_the_new_one_is)
{
    for (const auto survivors : {fakes::survivors::nothing, fakes::survivors::names, fakes::survivors::everything})
        for (std::uint64_t n = 1;; ++n) {
            control_plane from{engine::sqlite};
            files.restart(survivors);
            ASSERT_TRUE(os::remove_all(files, "/mnt"));
            const auto before = make(from);
            ASSERT_TRUE(before);
            from.store.set_setting("initialised_at", "now");
            clock.advance(std::chrono::hours{24});
            files.power_off_at(n);
            const auto after = make(from);
            files.restart(survivors);
            const auto opened = open();
            ASSERT_TRUE(opened) << "power off at call " << n << ": " << opened.error().message;
            if (after) {
                EXPECT_EQ(opened->manifest.made_at, after->made_at) << n;
            }
            clock.advance(std::chrono::hours{1});
            ASSERT_TRUE(make(from)) << "what was cut short is in nobody's way";
            if (after) break;
            ASSERT_LT(n, 1000U);
        }
}

// So it is whichever single call the disk refuses.
TEST_F(copy, a_full_disk_leaves_a_whole_one)
{
    control_plane from{engine::sqlite};
    from.fill();
    ASSERT_TRUE(make(from));
    std::size_t refused = 0;
    for (std::uint64_t n = 1;; ++n) {
        clock.advance(std::chrono::hours{24});
        const auto before = files.calls();
        files.fail_at(n, fault_code::disk_full);
        const auto made = make(from);
        const bool was_hit = files.calls() - before >= n;
        files.heal();
        ASSERT_TRUE(open()) << "call " << n;
        if (!made) {
            ++refused;
            EXPECT_EQ(made.error().code, fault_code::disk_full) << n;
        }
        if (!was_hit) break;
        ASSERT_LT(n, 2000U);
    }
    EXPECT_GT(refused, 10U);
}

// The rows are those of one moment: each tenant comes with its policy, and no later one with an earlier one missing.
class while_written_to : public copy, public testing::WithParamInterface<engine> {};
INSTANTIATE_TEST_SUITE_P(each, while_written_to, testing::Values(engine::sqlite, engine::postgresql),
                         [](const auto& e) { return test::name(e.param); });

TEST_P(while_written_to, is_of_one_moment)
{
    control_plane from{GetParam()};
    for (int i = 0; i < 500; ++i)
        from.store.add_tenant({{"ten_before" + std::to_string(i)}, "before" + std::to_string(i), "server", store::day},
                              "{}");
    std::atomic<bool> stop = false;
    std::atomic<int> written = 0;
    std::jthread writer{[&] {
        for (; !stop; ++written)
            from.store.add_tenant({{"ten_" + std::to_string(written)}, std::to_string(written), "server", store::day},
                                  "{}");
    }};
    while (written < 5) std::this_thread::yield();
    const auto made = make(from);
    const int meanwhile = written;
    while (written < meanwhile + 5) std::this_thread::yield();
    stop = true;
    writer.join();
    ASSERT_TRUE(made) << made.error().message;
    std::map<std::string, std::uint64_t> rows;
    for (const auto& t : made->tables) rows[t.table] = t.rows;
    EXPECT_GE(rows["tenant"], 505U);
    EXPECT_EQ(rows["tenant"], rows["policy"]);
}

// The format: these bytes are what every later version has to read. With XENTZ_TEST_ACCEPT=1 it is written anew, which
// is right only where the format was not released yet.
TEST_F(copy, looks_like_the_one_that_is_kept)
{
    control_plane from{engine::sqlite};
    from.store.set_setting("initialised_at", "2026-11-23T00:00:00Z");
    from.store.set_setting("master_key_fingerprint", key.fingerprint());
    from.store.set_setting("storage_id", "storage_1");
    from.store.add_tenant({{"ten_acme"}, "acme", "server", store::day}, "{\"include\":[\"/srv\"]}");
    const auto made = make(from);
    ASSERT_TRUE(made);
    for (const auto& name :
         {std::string{"manifest.json"}, made->database.name, made->master_key.name, made->settings->name})
        test::expect_golden("recovery/copy/" + name, read(name));
}

struct a_kept_copy : testing::TestWithParam<const char*> {};

// One is as this program makes it; the others were made by earlier ones, with the schema that their names end in.
INSTANTIATE_TEST_SUITE_P(each, a_kept_copy, testing::Values("copy", "copy-0006"));

TEST_P(a_kept_copy, is_restored_by_this_program)
{
    const auto files = os::make_files();
    const auto folder = *copy_folder::open(*files, test::golden_file(std::string{"recovery/"} + GetParam()));
    const auto opened = open_copy(*files, folder, {.passphrase = phrase, .key = {}});
    ASSERT_TRUE(opened) << opened.error().message;
    const test::fresh_database empty{engine::sqlite};
    const auto target = sql::open_database(empty.address());
    copied_rows source{*files, folder.file(opened->manifest.database)};
    ASSERT_TRUE(store::all_rows{target}.restore(opened->manifest.schema, source, {.id = "epoch_1"}));
    store::fleet_store restored{target};
    EXPECT_EQ(restored.find_tenant("acme")->id.text, "ten_acme");
    EXPECT_EQ(restored.setting("master_key_fingerprint"), opened->key.fingerprint());
}

} // namespace
} // namespace xentz::recovery
