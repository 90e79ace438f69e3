#include "base/size_text.hpp"
#include "base/time_text.hpp"
#include "context.hpp"
#include "copy_parts.hpp"
#include "os/service.hpp"
#include "output.hpp"
#include "recovery/row_tally.hpp"
#include "storage.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct import_options {
    std::string folder;
    std::string passphrase_file;
    std::string sheet_file;
    bool dry_run = false;
};

struct import_output {
    std::string data_dir;
    base::time_point exported_at;
    std::uint64_t rows = 0;
    std::vector<recovery::table_count> tables; // each compared with the export after it was put in
    bool master_key_written = false;
    bool storage_ready = false;
    std::optional<std::string> settings; // the config file of the export, on another host
    std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(import_output, (),
                      (data_dir, exported_at, rows, tables, master_key_written, storage_ready, settings, note))

// The key in the data folder opens the export, too: on the same host nobody is asked for anything.
result<recovery::unlocking> unlock_here(context& c, const import_options& o)
{
    const auto key = read_master_key(c);
    if (!key) return std::unexpected(key.error());
    if (*key) return recovery::unlocking{.passphrase = {}, .key = *key};
    return read_unlocking(c, o.passphrase_file, o.sheet_file);
}

result<> check_not_imported(const recovery::copy_folder& folder)
{
    const auto imported = folder.imported_at();
    if (!imported) return std::unexpected(imported.error());
    if (!*imported) return {};
    return fail(fault_code::conflict, "this export was imported on " + base::to_rfc3339(**imported) + " already",
                "Export again from the control plane that is in force; only where nothing was served from that import, "
                "remove " +
                    folder.imported_file().string() + " and run this again");
}

// A look must not leave an empty database file behind.
bool is_new_file(const context& c)
{
    constexpr std::string_view sqlite = "sqlite:";
    const auto address = database_address(c);
    return address.starts_with(sqlite) && !c.files.info(address.substr(sqlite.size()));
}

result<> check_target(const context& c)
{
    if (is_new_file(c) || !store::all_rows{sql::open_database(database_address(c))}.holds_any()) return {};
    return fail(fault_code::conflict, "the database holds a control plane already, and was not changed",
                "Name an empty one with --database; put a SQLite file aside that a control plane was moved out of");
}

bool is_storage_there(context& c, const std::string& storage_id)
{
    const auto storage = open_storage(c, storage_id);
    return storage && (*storage)->ready();
}

void print(const context& c, const import_output& out, bool dry_run)
{
    if (c.json) return print_json(out);
    const auto what = base::counted(out.rows, "row") + " in " + base::counted(out.tables.size(), "table");
    if (dry_run)
        print_line("The export of " + short_time(out.exported_at) +
                   " UTC is whole and opens, and the database is empty: " + what + ". Nothing was changed.");
    else
        print_line("Imported the control plane of " + short_time(out.exported_at) + " UTC: " + what +
                   ", each table read back and the same as in the export.");
    if (!out.storage_ready)
        print_line("The storage is not there: name the one that it had with --storage. Devices get 503 until it is.");
    if (out.settings) print_line("The config file of the export is " + *out.settings + ": compare it with yours.");
    if (out.note) print_line(*out.note);
    if (!dry_run)
        print_line(std::string{"Next: name this database in the config file of the server, then "} +
                   (c.of_package ? "systemctl start xentz-server" : "xentz-server serve"));
}

// The folder may be somebody else's, or read-only: the import is done all the same.
std::optional<std::string> note_import(const context& c, const recovery::copy_folder& folder)
{
    const auto noted = folder.put_imported(c.clock.now());
    if (noted) return std::nullopt;
    return "It could not be noted beside the export that it was imported (" + noted.error().message +
           "): remove the export, and never import it again.";
}

result<> import_rows(context& c, const import_options& o)
{
    std::optional<recovery::unlocking> given;
    if (!o.passphrase_file.empty() || !o.sheet_file.empty()) {
        auto how = read_unlocking(c, o.passphrase_file, o.sheet_file);
        if (!how) return base::failed(how);
        given = std::move(*how);
    }
    if (auto ok = os::become_owner_of(c.data_path()); !ok) return ok;
    const auto folder = recovery::copy_folder::open(c.files, folder_path(o.folder));
    if (!folder) return std::unexpected(folder.error());
    const auto how = given ? result<recovery::unlocking>{*given} : unlock_here(c, o);
    if (!how) return std::unexpected(how.error());
    const auto copy = recovery::open_copy(c.files, *folder, *how, recovery::kind_of_export);
    if (!copy) return std::unexpected(copy.error());
    c.redactor->add(copy->key.text());
    if (auto ok = check_not_imported(*folder); !ok) return ok;
    if (auto ok = store::check_schema(copy->manifest.schema); !ok) return ok;
    const auto has_key = has_master_key(c, copy->key);
    if (!has_key) return std::unexpected(has_key.error());
    if (auto ok = check_target(c); !ok) return ok;

    import_output out{.data_dir = c.data_path().string(),
                      .exported_at = copy->manifest.made_at,
                      .tables = copy->manifest.tables,
                      .master_key_written = !*has_key && !o.dry_run};
    for (const auto& t : out.tables) out.rows += t.rows;
    if (!o.dry_run) {
        if (auto ok = os::create_directories(c.files, c.data_path()); !ok) return ok;
        // Before the rows: with them, and without the key, it would be neither a server nor an empty folder.
        if (!*has_key)
            if (auto ok = put_master_key(c, copy->key); !ok) return ok;
        recovery::copied_rows source{c.files, folder->file(copy->manifest.database)};
        recovery::rows_as_exported back{copy->manifest.tables};
        store::all_rows rows{sql::open_database(database_address(c))};
        if (auto ok = rows.move_in(copy->manifest.schema, source, back); !ok) return ok;
        out.note = note_import(c, *folder);
        if (!*has_key) {
            auto settings = put_settings(c, *copy);
            if (!settings) return base::failed(settings);
            out.settings = std::move(*settings);
        }
    }
    out.storage_ready = is_storage_there(c, copy->manifest.storage_id);
    print(c, out, o.dry_run);
    return {};
}

} // namespace

void add_import_command(CLI::App& app, context& c)
{
    auto* command =
        app.add_subcommand("import", "put an exported control plane into an empty database: PostgreSQL or SQLite");
    auto o = std::make_shared<import_options>();
    command->add_option("DIR", o->folder, "folder that `export` has made")->required();
    command
        ->add_option("--passphrase-file", o->passphrase_file,
                     "file with its passphrase (default: ask; not needed where the data folder holds the master key)")
        ->envname("XENTZ_PASSPHRASE_FILE");
    command->add_option("--recovery-sheet-file", o->sheet_file,
                        "file with the lines of the recovery sheet, instead of the passphrase");
    command->add_flag("--dry-run", o->dry_run,
                      "look whether the export is whole and opens and the database is empty, and change nothing");
    command->callback([&c, o] { c.action = [&c, o] { return import_rows(c, *o); }; });
}

} // namespace xentz::apps
