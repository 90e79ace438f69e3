#include "installation.hpp"

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

} // namespace

std::string database_address(const context& c)
{
    return c.database.empty() ? "sqlite:" + (c.data_path() / "xentz.db").string() : c.database;
}

std::filesystem::path master_key_path(const context& c) { return c.data_path() / "master.key"; }

result<std::unique_ptr<store::fleet_store>> open_store(const context& c)
{
    if (auto ok = os::become_owner_of(c.data_path()); !ok) return base::failed(ok);
    // SQLite would make an empty database where there is none.
    if (!c.files.info(master_key_path(c))) return not_initialised(c);
    auto store = std::make_unique<store::fleet_store>(sql::open_database(database_address(c)));
    store->migrate();
    if (!store->setting(setting_initialised_at)) return not_initialised(c);
    return store;
}

result<installation> open_installation(const context& c)
{
    auto store = open_store(c);
    if (!store) return base::failed(store);
    auto text = os::read_all(c.files, master_key_path(c), most_key_bytes);
    if (!text) return base::failed(text);
    auto key = crypto::master_key::parse(*text);
    if (!key) return base::failed(key);
    if ((*store)->setting(setting_key_fingerprint) != key->fingerprint())
        return fail(fault_code::config_invalid,
                    "the master key in " + master_key_path(c).string() + " is not the one of this database",
                    "Put back the key that belongs to the database, from its recovery sheet or a backup");
    c.redactor->add(key->text());
    auto storage_id = (*store)->setting(setting_storage_id).value_or("");
    return installation{std::move(*store), *key, std::move(storage_id)};
}

} // namespace xentz::apps
