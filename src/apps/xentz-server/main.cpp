#include "context.hpp"
#include "output.hpp"

#include "manual/manual_command.hpp"
#include "os/log.hpp"
#include "os/system.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <span>
#include <string_view>

namespace {

// What the Debian package installs (packaging/server). It holds for calls that name no server themselves.
constexpr auto package_config = "/etc/xentz-server/server.conf";

constexpr auto description =
    "Control plane and restic repository server of xentz, in one program.\n\n"
    "First steps:\n"
    "  xentz-server init                        make the data folder, the master key and an administrator\n"
    "  xentz-server serve                       serve the device API and the repositories\n"
    "  xentz-server tenant create NAME          a tenant, with its default policy\n"
    "  xentz-server token create --tenant NAME  a one-time token; then, on the machine:\n"
    "                                           xentz-agent install --server URL --token TOKEN";

// What the commands share; given before or after the command's name.
void add_shared_options(CLI::App& app, xentz::apps::context& c)
{
    app.add_option("--data-dir", c.data_dir, "folder of the server's data")
        ->envname("XENTZ_DATA_DIR")
        ->capture_default_str();
    app.add_option("--database", c.database, "sqlite:FILE or postgresql://... (default: sqlite in the data folder)")
        ->envname("XENTZ_DATABASE");
    app.add_option(
           "--storage", c.storage,
           "file:DIR or s3://BUCKET/PREFIX?endpoint=URL&region=NAME for the repositories (default: storage in the data "
           "folder)")
        ->envname("XENTZ_STORAGE");
    app.add_flag("--json", c.json, "print data as JSON");
    const char* config = std::getenv("XENTZ_CONFIG");
    if (config == nullptr && c.of_package) config = package_config;
    app.set_config("--config", config == nullptr ? "" : config, "file with these options as KEY=VALUE lines",
                   config != nullptr);
    app.allow_config_extras(CLI::config_extras_mode::error);
}

bool is_for_package(std::span<char*> arguments)
{
    for (const std::string_view argument : arguments)
        for (const std::string_view option : {"--data-dir", "--config"})
            if (argument == option || argument.starts_with(std::string{option} + "=")) return false;
    return std::getenv("XENTZ_CONFIG") == nullptr && std::getenv("XENTZ_DATA_DIR") == nullptr &&
           ::access(package_config, F_OK) == 0;
}

int run(int argc, char** argv)
{
    using namespace xentz;
    const auto files = os::make_files();
    const auto clock = os::make_clock();
    const auto random = os::make_random();
    const auto redactor = std::make_shared<base::redactor>();
    const auto log = os::make_stderr_logger(redactor, base::log_level::info);
    apps::context c{.of_package = is_for_package({argv, static_cast<std::size_t>(argc)}),
                    .version = XENTZ_VERSION,
                    .files = *files,
                    .clock = *clock,
                    .random = *random,
                    .redactor = redactor,
                    .log = *log};

    CLI::App app{description, "xentz-server"};
    app.set_version_flag("--version", "xentz-server " XENTZ_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    add_shared_options(app, c);
    apps::add_init_command(app, c);
    apps::add_recovery_sheet_command(app, c);
    apps::add_serve_command(app, c);
    apps::add_custody_command(app, c);
    apps::add_backup_command(app, c);
    apps::add_restore_command(app, c);
    apps::add_export_command(app, c);
    apps::add_import_command(app, c);
    apps::add_tenant_commands(app, c);
    apps::add_policy_commands(app, c);
    apps::add_user_commands(app, c);
    apps::add_device_commands(app, c);
    apps::add_repo_commands(app, c);
    apps::add_storage_commands(app, c);
    manual::add_manual_command(app, XENTZ_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::FileError&) {
        return apps::print_fault({base::fault_code::usage,
                                  "cannot read the config " + app.get_config_ptr()->as<std::string>(),
                                  "Run this as root, or name another one with --config or a server with --data-dir"});
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : 2;
    }
    c.config_file = app.get_config_ptr()->as<std::string>();
    if (const auto done = c.action(); !done) return apps::print_fault(done.error());
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return run(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << "xentz-server: " << e.what() << "\n";
        return 1;
    }
}
