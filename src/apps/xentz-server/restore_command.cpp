#include "context.hpp"
#include "copies.hpp"
#include "copy_parts.hpp"
#include "orphans.hpp"
#include "os/service.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct restore_options {
    std::string folder;
    std::string passphrase_file;
    std::string sheet_file;
    bool dry_run = false;
    bool key_only = false;
};

struct device_to_confirm {
    std::string device_id;
    std::string hostname;
    std::string tenant_id;
    std::optional<base::time_point> last_seen_at;
};
BOOST_DESCRIBE_STRUCT(device_to_confirm, (), (device_id, hostname, tenant_id, last_seen_at))

struct restore_output {
    std::string data_dir;
    base::time_point copy_made_at;
    std::string copy_version;
    std::int64_t epoch = 0;
    std::int64_t tokens_voided = 0;
    std::int64_t credentials_voided = 0;
    std::vector<device_to_confirm> devices_to_confirm;
    bool storage_ready = false;
    std::vector<std::string> repositories_without_device;
    std::optional<std::string> settings; // the config file of the copy
};
BOOST_DESCRIBE_STRUCT(restore_output, (),
                      (data_dir, copy_made_at, copy_version, epoch, tokens_voided, credentials_voided,
                       devices_to_confirm, storage_ready, repositories_without_device, settings))

result<store::restored_rows> put_rows(context& c, const recovery::copy_folder& folder,
                                      const recovery::opened_copy& copy)
{
    if (auto ok = has_master_key(c, copy.key); !ok) return base::failed(ok);
    store::all_rows rows{sql::open_database(database_address(c))};
    if (rows.holds_any()) return std::unexpected(installed_already(c));
    // Before the rows: with them, and without the key, it would be neither a server nor an empty folder.
    if (auto ok = put_master_key(c, copy.key); !ok) return base::failed(ok);
    recovery::copied_rows source{c.files, folder.file(copy.manifest.database)};
    return rows.restore(copy.manifest.schema, source,
                        {.id = base::make_id_text("epoch", c.random),
                         .began_at = c.clock.now(),
                         .copy_made_at = copy.manifest.made_at});
}

void add_fleet(context& c, store::fleet_store& store, const recovery::manifest& m, restore_output& out)
{
    for (const auto& d : store.devices(std::nullopt))
        if (!d.revoked_at) out.devices_to_confirm.push_back({d.id.text, d.hostname, d.tenant_id.text, d.last_seen_at});
    auto orphans = repositories_without_device(c, store, m.storage_id);
    out.storage_ready = orphans.has_value();
    if (orphans) out.repositories_without_device = std::move(*orphans);
}

void print_devices(const restore_output& out)
{
    base::table table{{"DEVICE", "HOST", "TENANT", "LAST SEEN (UTC)"}};
    for (const auto& d : out.devices_to_confirm)
        table.add({d.device_id, d.hostname, d.tenant_id, short_time(d.last_seen_at)});
    print_line(
        "\nThese devices are in force again. Whatever was revoked or disabled since the copy has to be so again\n"
        "(`xentz-server device revoke ID`); then say `xentz-server device confirm`:\n");
    print_table(table, "There is no device.");
}

void print_orphans(const restore_output& out)
{
    if (!out.storage_ready)
        return print_line(
            "\nThe storage is not there: devices get 503 until it is. Then `xentz-server repo orphans` lists\n"
            "the repositories that belong to no device.");
    if (out.repositories_without_device.empty()) return;
    print_line(
        "\nThese repositories belong to no device: theirs enrolled after the copy, and must enrol again. What is in\n"
        "them stays and is read by restic with the password of the machine:\n");
    for (const auto& id : out.repositories_without_device) print_line("    " + id);
}

void print(const context& c, const restore_output& out)
{
    if (c.json) return print_json(out);
    print_line("Restored the control plane of " + short_time(out.copy_made_at) + " UTC into " + out.data_dir +
               "; epoch " + std::to_string(out.epoch) + ".");
    print_line("Install tokens made void: " + std::to_string(out.tokens_voided) +
               ". Further repository credentials made void: " + std::to_string(out.credentials_voided) + ".");
    print_devices(out);
    print_orphans(out);
    if (out.settings) print_line("\nThe config file of the copy is " + *out.settings + ": compare it with yours.");
    print_line(c.of_package ? "\nNext: systemctl start xentz-server" : "\nNext: xentz-server serve");
}

result<> check_only(const context& c, const recovery::opened_copy& copy)
{
    if (c.json)
        print_json(copy.manifest);
    else
        print_line("The copy of " + short_time(copy.manifest.made_at) +
                   " UTC is whole and opens. Nothing was changed.");
    return {};
}

// The database survived, on a host of its own or because only the key was lost: nothing of it is older than it was.
result<> put_key_alone(context& c, const recovery::opened_copy& copy)
{
    if (auto ok = has_master_key(c, copy.key); !ok) return base::failed(ok);
    if (auto ok = os::create_directories(c.files, c.data_path()); !ok) return ok;
    const auto database = sql::open_database(database_address(c));
    if (!store::all_rows{database}.holds_any())
        return fail(fault_code::not_found, "the database holds no control plane",
                    "Restore it, too: leave out --key-only");
    store::fleet_store store{database};
    if (store.setting(setting_key_fingerprint) != copy.key.fingerprint())
        return fail(fault_code::conflict, "the database belongs to another master key than the copy",
                    "Name the database that the copy was made of with --database");
    if (auto ok = put_master_key(c, copy.key); !ok) return ok;
    if (!c.json)
        print_line("Put the master key back into " + master_key_path(c).string() + "; the database is as it was.");
    return {};
}

result<> restore(context& c, const restore_options& o)
{
    const auto how = read_unlocking(c, o.passphrase_file, o.sheet_file);
    if (!how) return std::unexpected(how.error());
    if (auto ok = os::become_owner_of(c.data_path()); !ok) return ok;
    const auto folder = recovery::copy_folder::open(c.files, folder_path(o.folder));
    if (!folder) return std::unexpected(folder.error());
    const auto copy = recovery::open_copy(c.files, *folder, *how);
    if (!copy) return std::unexpected(copy.error());
    c.redactor->add(copy->key.text());
    if (o.dry_run) return check_only(c, *copy);
    if (o.key_only) return put_key_alone(c, *copy);

    if (auto ok = os::create_directories(c.files, c.data_path()); !ok) return ok;
    const auto rows = put_rows(c, *folder, *copy);
    if (!rows) return std::unexpected(rows.error());
    restore_output out{.data_dir = c.data_path().string(),
                       .copy_made_at = copy->manifest.made_at,
                       .copy_version = copy->manifest.version,
                       .epoch = rows->epoch.number,
                       .tokens_voided = rows->tokens_voided,
                       .credentials_voided = rows->credentials_voided};
    auto store = open_store(c);
    if (!store) return base::failed(store);
    (*store)->set_setting(setting_copied_at, base::to_rfc3339(copy->manifest.made_at));
    auto settings = put_settings(c, *copy);
    if (!settings) return base::failed(settings);
    out.settings = std::move(*settings);
    add_fleet(c, **store, copy->manifest, out);
    print(c, out);
    return {};
}

} // namespace

void add_restore_command(CLI::App& app, context& c)
{
    auto* restore_app = app.add_subcommand("restore", "put a control plane back from a copy, on this host or another");
    auto o = std::make_shared<restore_options>();
    restore_app->add_option("DIR", o->folder, "folder that `backup` has made")->required();
    restore_app->add_option("--passphrase-file", o->passphrase_file, "file with its passphrase (default: ask)")
        ->envname("XENTZ_PASSPHRASE_FILE");
    restore_app->add_option("--recovery-sheet-file", o->sheet_file,
                            "file with the lines of the recovery sheet, instead of the passphrase");
    restore_app->add_flag("--dry-run", o->dry_run, "look whether the copy is whole and opens, and change nothing");
    restore_app->add_flag("--key-only", o->key_only, "put back the master key alone, for a database that survived");
    restore_app->callback([&c, o] { c.action = [&c, o] { return restore(c, *o); }; });
}

} // namespace xentz::apps
