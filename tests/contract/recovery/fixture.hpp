// A control plane with rows of every kind, and what copies it. For the sources of this folder.
#pragma once

#include "contract/store/fixture.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_random.hpp"
#include "fakes/memory_files.hpp"
#include "recovery/control_copy.hpp"
#include "recovery/row_tally.hpp"
#include "recovery/row_text.hpp"
#include "support/databases.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace xentz::recovery {

using base::fault_code;
using base::result;
using test::engine;

inline constexpr crypto::stretching cheap{.operations = 1, .memory_bytes = 8192};
inline constexpr auto phrase = "correct horse battery staple";
inline const std::filesystem::path at = "/mnt/copy";

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

inline void control_plane::fill()
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

} // namespace xentz::recovery
