#include "base/size_text.hpp"
#include "base/time_text.hpp"
#include "context.hpp"
#include "copy_parts.hpp"
#include "crypto/hash.hpp"
#include "os/lock.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct export_options {
    std::string folder;
    std::string passphrase_file;
    bool undo = false;
    bool not_imported = false;
};

struct export_output {
    std::string folder;
    base::time_point moved_at;
    std::uint64_t bytes = 0; // of the rows
    std::uint64_t rows = 0;
    std::vector<recovery::table_count> tables;
    std::string master_key_fingerprint;
    std::string storage_id;
};
BOOST_DESCRIBE_STRUCT(export_output, (), (folder, moved_at, bytes, rows, tables, master_key_fingerprint, storage_id))

struct undo_output {
    std::string folder;
    bool export_removed = false;
};
BOOST_DESCRIBE_STRUCT(undo_output, (), (folder, export_removed))

void print(const context& c, const export_output& out)
{
    if (c.json) return print_json(out);
    print_line("Moved the control plane out of its database, into " + out.folder + ": " +
               base::counted(out.rows, "row") + ", " + base::to_size(out.bytes) +
               ". A server that still serves it answers 503; stop it.");
    print_line("\nNext: xentz-server import " + out.folder +
               " --database postgresql://...\n"
               "Then name that database in the config file, and start the server.\n"
               "To give the move up instead: xentz-server export --undo");
}

void print(const context& c, const undo_output& out)
{
    if (c.json) return print_json(out);
    print_line("The control plane is in force again, as it was.");
    print_line(out.export_removed ? "The export in " + out.folder + " was removed."
                                  : "There is no export of it in " + out.folder +
                                        ". Where there is one anywhere else, never import it.");
}

// The export that moved it away, as far as it can be seen from here.
struct earlier_export {
    std::optional<recovery::copy_folder> folder; // that holds it
    std::optional<base::time_point> imported_at;
};

// An export that was cut short is known by its MAC alone; the folder may hold another one by now.
bool is_it(const std::string& manifest_text, const store::moved_away& m, const crypto::master_key& key)
{
    if (m.export_hash) return crypto::sha256_hex(manifest_text) == *m.export_hash;
    const auto read = recovery::read_manifest(manifest_text);
    return read && read->kind == recovery::kind_of_export && recovery::is_genuine(manifest_text, key);
}

result<earlier_export> look_for(context& c, const store::moved_away& m, const crypto::master_key& key)
{
    const auto folder = recovery::copy_folder::open(c.files, m.folder);
    if (!folder && folder.error().code == fault_code::not_found) return earlier_export{};
    if (!folder) return std::unexpected(folder.error());
    const auto text = folder->read_manifest_text();
    if (!text) return std::unexpected(text.error());
    if (!is_it(*text, m, key)) return earlier_export{};
    const auto imported = folder->imported_at();
    if (!imported) return std::unexpected(imported.error());
    return earlier_export{*folder, *imported};
}

// What was imported is in force elsewhere; to go on from here, too, would make two truths.
result<> check_not_imported(const store::moved_away& m, const earlier_export& e)
{
    constexpr auto remedy = "Move it back from where it is in force, with export and import; only where nothing was "
                            "served from there, say `xentz-server export --undo --not-imported`";
    if (e.imported_at)
        return fail(fault_code::conflict,
                    "the export was imported on " + base::to_rfc3339(*e.imported_at) + ", and is in force there",
                    remedy);
    if (m.export_hash && !e.folder)
        return fail(fault_code::conflict,
                    "the export is not in " + m.folder + " any more, so that nobody here knows whether it was imported",
                    remedy);
    return {};
}

result<> undo(context& c, bool not_imported)
{
    auto home = open_installation(c, if_moved_away::open);
    if (!home) return base::failed(home);
    const auto moved = home->store->moves().find();
    if (!moved) return fail(fault_code::conflict, "this control plane was not moved away, and is in force");
    const auto found = look_for(c, *moved, home->key);
    if (!found) return std::unexpected(found.error());
    if (!not_imported)
        if (auto ok = check_not_imported(*moved, *found); !ok) return ok;
    // First of all: from the moment at which this one is in force nobody may import it any more.
    if (found->folder) {
        if (auto ok = found->folder->withdraw(); !ok) return ok;
        if (auto ok = found->folder->tidy(); !ok) return ok;
    }
    home->store->moves().clear();
    print(c, undo_output{.folder = moved->folder, .export_removed = found->folder.has_value()});
    return {};
}

result<recovery::manifest> make_export(recovery::copy_parts parts, const recovery::copy_folder& folder)
try {
    parts.kind = recovery::kind_of_export;
    return recovery::make_copy(parts, folder);
} catch (const sql::error& e) {
    return fail(fault_code::internal, e.what());
}

// A move that failed at once is none: the control plane goes on, unless an earlier export had moved it already.
std::unexpected<base::fault> give_up(store::fleet_store& store, const recovery::copy_folder& folder, base::fault why,
                                     bool was_moved)
{
    if (was_moved) return std::unexpected(std::move(why));
    if (const auto ok = folder.withdraw(); !ok) return std::unexpected(std::move(why));
    store.moves().clear();
    why.message += "; the control plane was not moved, and is in force as before";
    return std::unexpected(std::move(why));
}

result<> export_rows(context& c, const export_options& o)
{
    auto input = read_copy_input(c, o.passphrase_file);
    if (!input) return base::failed(input);
    if (auto ok = crypto::check_passphrase(input->passphrase); !ok) return ok;
    auto home = open_installation(c, if_moved_away::open);
    if (!home) return base::failed(home);
    auto& store = *home->store;
    const auto before = store.moves().find();
    if (before) {
        const auto earlier = look_for(c, *before, home->key);
        if (!earlier) return std::unexpected(earlier.error());
        if (auto ok = check_not_imported(*before, *earlier); !ok) return ok;
    }
    auto folder = recovery::copy_folder::prepare(c.files, folder_path(o.folder), recovery::kind_of_export);
    if (!folder) return base::failed(folder);
    const auto lock = os::try_lock(folder->lock(), "export, process " + std::to_string(::getpid()));
    if (!lock) return std::unexpected(lock.error());
    // What an earlier export left here is void: the database had it all, and may have gone on since.
    if (auto ok = folder->withdraw(); !ok) return ok;
    store.moves().set(before ? before->moved_at : c.clock.now(), folder_path(o.folder).string());
    const auto made = make_export(make_copy_parts(c, *home, std::move(*input)), *folder);
    if (!made) return give_up(store, *folder, made.error(), before.has_value());
    const auto manifest = folder->read_manifest_text();
    if (!manifest) return std::unexpected(manifest.error());
    store.moves().complete(crypto::sha256_hex(*manifest));
    export_output out{.folder = folder_path(o.folder).string(),
                      .moved_at = made->made_at,
                      .bytes = made->database.bytes,
                      .tables = made->tables,
                      .master_key_fingerprint = made->master_key_fingerprint,
                      .storage_id = made->storage_id};
    for (const auto& t : made->tables) out.rows += t.rows;
    print(c, out);
    return {};
}

} // namespace

void add_export_command(CLI::App& app, context& c)
{
    auto* command = app.add_subcommand(
        "export", "move the control plane out of its database, whole and unchanged, for `import` into another one");
    auto o = std::make_shared<export_options>();
    auto* folder =
        command->add_option("DIR", o->folder, "folder for the export: empty, new, or that of an earlier one");
    command
        ->add_option("--passphrase-file", o->passphrase_file,
                     "file with the passphrase that the master key is sealed under (default: ask)")
        ->envname("XENTZ_PASSPHRASE_FILE");
    command
        ->add_flag("--undo", o->undo,
                   "take the control plane of this database up again, where the export was not imported")
        ->excludes(folder);
    command->add_flag("--not-imported", o->not_imported,
                      "with --undo, where the export is gone or was imported: nothing was served from it");
    command->callback([&c, o] {
        c.action = [&c, o]() -> result<> {
            if (o->undo) return undo(c, o->not_imported);
            if (o->not_imported) return fail(fault_code::usage, "--not-imported belongs to --undo", "Leave it out");
            if (o->folder.empty())
                return fail(fault_code::usage, "export needs a folder", "Name one: `xentz-server export DIR`");
            return export_rows(c, *o);
        };
    });
}

} // namespace xentz::apps
