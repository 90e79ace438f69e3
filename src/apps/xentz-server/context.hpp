// What every command of xentz-server gets: the options that all share, and the machine.
#pragma once

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/redactor.hpp"
#include "os/files.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace xentz::apps {

struct context {
    std::string data_dir = "xentz-data";
    std::string database; // empty: sqlite in the data folder
    std::string storage;  // file:DIR or s3://...; empty: file:DATA_DIR/storage
    bool json = false;
    bool of_package = false; // the options are those of the package's config file
    std::string config_file; // that the options were read from; empty where there was none
    std::string version;     // of this program

    os::files& files;
    base::clock& clock;
    base::random_source& random;
    std::shared_ptr<base::redactor> redactor;
    base::logger& log;

    // What the command line asked for; its result becomes the exit code.
    std::function<base::result<>()> action;

    std::filesystem::path data_path() const { return std::filesystem::absolute(data_dir).lexically_normal(); }
};

// Each adds its commands below `app` and sets context.action where one of them is called.
void add_init_command(CLI::App& app, context& c);
void add_recovery_sheet_command(CLI::App& app, context& c);
void add_backup_command(CLI::App& app, context& c);
void add_restore_command(CLI::App& app, context& c);
void add_export_command(CLI::App& app, context& c);
void add_import_command(CLI::App& app, context& c);
void add_custody_command(CLI::App& app, context& c);
void add_serve_command(CLI::App& app, context& c);
void add_tenant_commands(CLI::App& app, context& c); // tenant, token
void add_user_commands(CLI::App& app, context& c);
void add_policy_commands(CLI::App& app, context& c);
void add_device_commands(CLI::App& app, context& c); // device, report
void add_repo_commands(CLI::App& app, context& c);
void add_storage_commands(CLI::App& app, context& c);

} // namespace xentz::apps
