#include "installation.hpp"

#include "base/time_text.hpp"
#include "os/service.hpp"

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::uint64_t most_key_bytes = 4096;

std::unexpected<base::fault> not_initialised(const context& c)
{
    return fail(fault_code::config_missing, "there is no xentz server in " + c.data_path().string(),
                "Run `xentz-server init` first, or name the folder with --data-dir");
}

std::unexpected<base::fault> moved_away(const context& c)
{
    const auto mark = store::move_mark{sql::open_database(database_address(c))}.find();
    return fail(fault_code::config_missing,
                "the control plane of this database was moved to another one" +
                    (mark ? " on " + base::to_rfc3339(mark->moved_at) : std::string{}),
                "Name that database with --database or in the config file; where the move was given up, take this one "
                "up again with `xentz-server export --undo`");
}

bool is_initialised(store::fleet_store& store) { return store.setting(setting_initialised_at).has_value(); }

} // namespace

std::string database_address(const context& c)
{
    return c.database.empty() ? "sqlite:" + (c.data_path() / "xentz.db").string() : c.database;
}

std::filesystem::path master_key_path(const context& c) { return c.data_path() / "master.key"; }

result<std::optional<crypto::master_key>> read_master_key(const context& c)
{
    const auto text = os::read_all(c.files, master_key_path(c), most_key_bytes);
    if (!text && text.error().code == fault_code::not_found) return std::optional<crypto::master_key>{};
    if (!text) return std::unexpected(text.error());
    auto key = crypto::master_key::parse(*text);
    if (!key) return base::failed(key);
    return *key;
}

result<std::unique_ptr<store::fleet_store>> open_store(const context& c, if_moved_away moved)
try {
    if (auto ok = os::become_owner_of(c.data_path()); !ok) return base::failed(ok);
    // SQLite would make an empty database where there is none.
    if (!c.files.info(master_key_path(c))) return not_initialised(c);
    sql::database_options options;
    if (moved == if_moved_away::refuse) options.gate = store::move_mark::gate();
    auto store = std::make_unique<store::fleet_store>(sql::open_database(database_address(c), options));
    store->migrate();
    if (!is_initialised(*store)) return not_initialised(c);
    return store;
} catch (const sql::error& e) {
    if (e.code != sql::errc::shut) throw;
    return moved_away(c);
}

result<installation> open_installation(const context& c, if_moved_away moved)
{
    auto store = open_store(c, moved);
    if (!store) return base::failed(store);
    auto found = read_master_key(c);
    if (!found) return base::failed(found);
    if (!*found) return not_initialised(c);
    const auto& key = **found;
    if ((*store)->setting(setting_key_fingerprint) != key.fingerprint())
        return fail(fault_code::config_invalid,
                    "the master key in " + master_key_path(c).string() + " is not the one of this database",
                    "Put back the key that belongs to the database, from its recovery sheet or a backup");
    c.redactor->add(key.text());
    auto storage_id = (*store)->setting(setting_storage_id).value_or("");
    return installation{std::move(*store), key, std::move(storage_id)};
}

} // namespace xentz::apps
