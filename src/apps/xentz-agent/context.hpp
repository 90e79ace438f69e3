// What every command of xentz-agent gets: the options that all share, and the machine once it is known.
#pragma once

#include "agent/environment.hpp"

#include <functional>
#include <stop_token>
#include <string>

namespace CLI {
class App;
}

namespace xentz::apps {

struct context {
    std::string config_file; // empty: config.json in the agent's home
    bool json = false;
    bool verbose = false;

    // What the command line asked for; gives the exit code.
    std::function<int(agent::environment&, std::stop_token)> action;
};

// Each adds its commands below `app` and sets context.action where one of them is called.
void add_install_command(CLI::App& app, context& c);
void add_recover_command(CLI::App& app, context& c);
void add_rotate_command(CLI::App& app, context& c);
void add_job_commands(CLI::App& app, context& c);      // backup, retention, restore
void add_schedule_commands(CLI::App& app, context& c); // run-due, uninstall
void add_read_commands(CLI::App& app, context& c);     // snapshots, ls
void add_config_commands(CLI::App& app, context& c);   // config
void add_doctor_command(CLI::App& app, context& c);
void add_status_commands(CLI::App& app, context& c); // status, version

} // namespace xentz::apps
