// A copy from each engine into each other one, on a real disk and on one that breaks.
#include "recovery/control_copy.hpp"

#include "contract/store/fixture.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_random.hpp"
#include "fakes/memory_files.hpp"
#include "recovery/row_tally.hpp"
#include "recovery/row_text.hpp"
#include "support/databases.hpp"
#include "support/golden.hpp"

#include <atomic>
#include <limits>
#include <thread>

namespace xentz::recovery {
namespace {

using base::fault_code;
using base::result;
using test::engine;

constexpr crypto::stretching cheap{.operations = 1, .memory_bytes = 8192};
constexpr auto phrase = "correct horse battery staple";
const std::filesystem::path at = "/mnt/copy";

// All rows as text, without what a restore changes on purpose.
struct as_text final : store::row_receiver {
    std::vector<std::string> lines;
    result<> begin() override
    {
        lines.clear();
        return {};
    }
    result<> begin_table(const store::table& t) override
    {
        lines.push_back(heading_line(t));
        return {};
    }
    result<> add(const store::row& r) override
    {
        lines.push_back(*row_line(r));
        return {};
    }
    result<> end() override { return {}; }
};

struct control_plane {
    explicit control_plane(engine e) : database(e) { store.migrate(); }

    test::fresh_database database;
    std::shared_ptr<sql::database> db = sql::open_database(database.address());
    store::fleet_store store{db};

    // A row or two in each table, with what is odd in each type.
    void fill();
    std::vector<std::string> rows()
    {
        as_text out;
        EXPECT_TRUE(store.rows().read(out));
        std::ranges::sort(out.lines); // the engines' ideas of an order differ
        return out.lines;
    }
};

void control_plane::fill()
{
    using store::day;
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    const std::string odd = "\u00e4\u00f6 \"quoted\" \\ back\nslash\tand \U0001F4BE '; drop table tenant; -- \x01\x7f";
    store.set_setting("initialised_at", "2026-11-23T00:00:00Z");
    store.set_setting("storage_id", "storage_1");
    const store::tenant acme{{"ten_acme"}, "acme", "server", day};
    store.add_tenant(acme, "{\"v\":\"" + odd + "\"}");
    store.add_tenant({{"ten_empty"}, "", "device", day}, "");
    store.add_token({.id = {"tok_1"},
                     .tenant_id = acme.id,
                     .policy_name = "default",
                     .token_hash = "hash-of-token",
                     .uses_total = 5,
                     .uses_left = 5,
                     .created_at = day,
                     .expires_at = day + std::chrono::hours{24},
                     .revoked_at = {}});
    store.enrol(store::make_enrolment("one", "hash-of-token", "key-1"), day, store::window);
    store.enrol(store::make_enrolment("two", "hash-of-token"), day, store::window);
    store.touch_device({"dev_one"}, day);
    store.revoke_device({"dev_two"}, day);
    auto report = store::make_report({"dev_one"}, "id:rep_1");
    report.error = odd;
    report.details = std::string(200'000, 'd');
    report.duration_ms = most;
    store.add_report(report);
    store.add_report(store::make_report({"dev_two"}, "id:rep_1"));
    store.add_user({"a@example.com", "$argon2id$...", day});
    store.request_backup({{"dev_one"}, "req_1", day});
    store.add_credential({.id = {"cred_1"},
                          .repository_id = {"repo_one"},
                          .kind = "maintenance",
                          .reason = odd,
                          .created_at = day,
                          .expires_at = day,
                          .revoked_at = day});
    auto objects = store.objects();
    for (int i = 0; i < 300; ++i)
        objects.arrived({"repo_one"}, {"data", "name" + std::to_string(i), "hash" + std::to_string(i), i}, day);
    objects.departing({"repo_one"}, {"data", "name7", "hash7", 7}, day);
    objects.advance_sweep_clock(std::nullopt, {day, day});
    objects.sample_usage(20'000);
}

struct copy : testing::Test {
    fakes::memory_files files;
    fakes::fake_clock clock;
    fakes::fake_random random;
    crypto::master_key key = crypto::master_key::generate(random);

    copy_parts parts(control_plane& from)
    {
        return {.files = files,
                .clock = clock,
                .random = random,
                .rows = from.store.rows(),
                .key = key,
                .passphrase = phrase,
                .version = "0.1.0",
                .storage_id = "storage_1",
                .epoch = 0,
                .settings = settings_file{"/etc/xentz-server/server.conf", "database=postgresql://xentz:secret@db/x\n"},
                .cost = cheap};
    }
    result<manifest> make(control_plane& from, const char* kind = kind_of_copy)
    {
        const auto folder = copy_folder::prepare(files, at, kind);
        if (!folder) return std::unexpected(folder.error());
        auto p = parts(from);
        p.kind = kind;
        return make_copy(p, *folder);
    }
    result<opened_copy> open(const std::string& passphrase = phrase, const char* kind = kind_of_copy)
    {
        const auto folder = copy_folder::open(files, at);
        if (!folder) return std::unexpected(folder.error());
        return open_copy(files, *folder, {.passphrase = passphrase, .key = {}}, kind);
    }
    // As `import` does it.
    result<> move_in(const std::shared_ptr<sql::database>& target, const manifest& m)
    {
        copied_rows source{files, at / m.database.name};
        rows_as_exported back{m.tables};
        return store::all_rows{target}.move_in(m.schema, source, back);
    }
    std::string read(const std::string& name) { return *os::read_all(files, at / name, 1U << 30U); }
};

struct route {
    engine from, to;
};

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

std::vector<std::string> rows_in(const std::shared_ptr<sql::database>& db)
{
    as_text out;
    EXPECT_TRUE(store::all_rows{db}.read(out));
    std::ranges::sort(out.lines);
    return out.lines;
}

// A move changes nothing at all, and finds out by itself that it did not.
TEST_P(each_way, an_export_goes_over_whole_and_unchanged)
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

TEST_P(each_way, rows_that_do_not_arrive_as_they_were_exported_are_no_import)
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
