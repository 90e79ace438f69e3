#include "context.hpp"
#include "machine.hpp"
#include "output.hpp"

#include "agent/exit_code.hpp"
#include "manual/manual_command.hpp"
#include "os/stop.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace {

constexpr auto description =
    "Backs up this machine with restic, as its control plane says, and reports what came of it.\n\n"
    "First steps:\n"
    "  xentz-agent install --server URL --token-file FILE --include FOLDER   enrol this machine\n"
    "  xentz-agent backup                                                    back up now\n"
    "  xentz-agent status                                                    is the data safe?\n"
    "  xentz-agent doctor                                                    what could stop the next backup?\n"
    "  xentz-agent restore latest --target FOLDER                            get it back";

constexpr auto footer =
    "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 backup made but incomplete, 4 not enrolled or no usable config,\n"
    "5 locked, 6 disabled or revoked, 7 repository unreachable, 8 wrong password or credentials, 9 damage found,\n"
    "130 interrupted. XENTZ_AGENT_HOME moves ~/.xentz-agent; XENTZ_RESTIC names the restic to run.";

int run(int argc, char** argv)
{
    using namespace xentz;
    apps::context c;
    CLI::App app{description, "xentz-agent"};
    app.footer(footer);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--config", c.config_file, "config.json to use; otherwise the one in the agent's home")
        ->type_name("FILE");
    app.add_flag("--json", c.json, "print data as JSON, for programs");
    app.add_flag("--verbose", c.verbose, "say more, and how a run gets on where there is no terminal");
    apps::add_install_command(app, c);
    apps::add_job_commands(app, c);
    apps::add_recover_command(app, c);
    apps::add_rotate_command(app, c);
    apps::add_schedule_commands(app, c);
    apps::add_read_commands(app, c);
    apps::add_status_commands(app, c);
    apps::add_doctor_command(app, c);
    apps::add_config_commands(app, c);
    manual::add_manual_command(app, XENTZ_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? agent::exit_done : agent::exit_usage;
    }
    const auto signals = os::catch_stop_signals();
    auto machine = apps::machine::make(c.config_file, c.verbose);
    if (!machine) return apps::print_fault(machine.error());
    return c.action((*machine)->environment(), signals->token());
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return run(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << "xentz-agent: " << e.what() << "\n";
        return 1;
    }
}
