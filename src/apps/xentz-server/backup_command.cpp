#include "base/size_text.hpp"
#include "context.hpp"
#include "copies.hpp"
#include "copy_parts.hpp"
#include "os/lock.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

namespace xentz::apps {
namespace {

using base::result;

struct backup_options {
    std::string folder;
    std::string passphrase_file;
};

struct backup_output {
    std::string folder;
    base::time_point made_at;
    std::uint64_t bytes = 0; // of the rows
    std::uint64_t rows = 0;
    bool with_settings = false;
    std::string master_key_fingerprint;
};
BOOST_DESCRIBE_STRUCT(backup_output, (), (folder, made_at, bytes, rows, with_settings, master_key_fingerprint))

void print(const context& c, const backup_output& out)
{
    if (c.json) return print_json(out);
    print_line("Copy of the control plane made in " + out.folder + " and read back: " + base::counted(out.rows, "row") +
               ", " + base::to_size(out.bytes) + ", the master key" + (out.with_settings ? ", the config file." : "."));
    print_line(
        "Not in it: the repositories, and the TLS certificate and key. Keep it on another machine, and keep the\n"
        "passphrase elsewhere: `xentz-server restore DIR` needs both, or the recovery sheet instead of it.");
}

result<> back_up(context& c, const backup_options& o)
{
    auto input = read_copy_input(c, o.passphrase_file);
    if (!input) return base::failed(input);
    auto home = open_installation(c);
    if (!home) return base::failed(home);
    auto folder = recovery::copy_folder::prepare(c.files, folder_path(o.folder));
    if (!folder) return base::failed(folder);
    const auto lock = os::try_lock(folder->lock(), "backup, process " + std::to_string(::getpid()));
    if (!lock) return std::unexpected(lock.error());
    const auto made = recovery::make_copy(make_copy_parts(c, *home, std::move(*input)), *folder);
    if (!made) return std::unexpected(made.error());
    home->store->set_setting(setting_copied_at, base::to_rfc3339(made->made_at));
    backup_output out{.folder = folder_path(o.folder).string(),
                      .made_at = made->made_at,
                      .bytes = made->database.bytes,
                      .with_settings = made->settings.has_value(),
                      .master_key_fingerprint = made->master_key_fingerprint};
    for (const auto& t : made->tables) out.rows += t.rows;
    print(c, out);
    return {};
}

} // namespace

void add_backup_command(CLI::App& app, context& c)
{
    auto* backup = app.add_subcommand("backup", "copy the control plane: database, master key, config file");
    auto o = std::make_shared<backup_options>();
    backup->add_option("DIR", o->folder, "folder for the copy: empty, new, or that of an earlier copy")->required();
    backup
        ->add_option("--passphrase-file", o->passphrase_file,
                     "file with the passphrase that the master key is sealed under (default: ask)")
        ->envname("XENTZ_PASSPHRASE_FILE");
    backup->callback([&c, o] { c.action = [&c, o] { return back_up(c, *o); }; });
}

} // namespace xentz::apps
