#include "agent/check.hpp"
#include "agent/exit_code.hpp"
#include "agent/scheduled_run.hpp"
#include "context.hpp"
#include "job_output.hpp"
#include "os/lock.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <iostream>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

int run_due(agent::environment& env, bool json, std::stop_token stop)
{
    auto done = agent::run_due(
        env, *env.timers,
        [](domain::job j) {
            switch (j) {
            case domain::job::retention:
                return agent::retention_work();
            case domain::job::check:
                return agent::check_work();
            default:
                return agent::backup_work({}, [](const auto&) {});
            }
        },
        stop);
    if (!done) return print_fault(done.error());
    int code = agent::exit_done;
    for (auto& [job, run] : done->runs)
        if (const auto one = conclude(env, std::move(run), json); code == agent::exit_done) code = one;
    return code;
}

struct uninstall_options {
    bool purge = false;
    std::string confirm;
};

constexpr auto sentence_for_password = "I have the repository password";

// Nothing that cannot be had back goes without its own word for it.
result<> confirm(agent::environment& env, uninstall_options& o)
{
    const auto info = env.files.info(env.home.password());
    const std::string wanted = info && info->bytes > 0 ? sentence_for_password : "purge";
    if (o.confirm.empty() && ::isatty(STDIN_FILENO) == 1) {
        std::cout << "This removes " << env.home.folder.string() << " with everything in it"
                  << (wanted == sentence_for_password
                          ? ", also the repository's password: without a copy of it nothing can be restored"
                          : "")
                  << ".\nType \"" << wanted << "\" to go on: " << std::flush;
        std::getline(std::cin, o.confirm);
    }
    if (o.confirm == wanted) return {};
    return fail(fault_code::usage, "--purge was not confirmed; nothing was removed",
                "Add --confirm \"" + wanted + "\"" +
                    (wanted == sentence_for_password ? ", and keep a copy of " + env.home.password().string() : ""));
}

int uninstall(agent::environment& env, uninstall_options o, bool json)
{
    if (o.purge)
        if (auto ok = confirm(env, o); !ok) return print_fault(ok.error());
    auto local = agent::load_local_config(env.files, env.home.config, *env.secrets);
    const bool enrolled = local.has_value();
    if (!enrolled) local = agent::local_config{};
    if (auto gone = agent::remove_timers(env, *env.timers, *local); !gone) return print_fault(gone.error());
    if (!json) print_line("Nothing is scheduled any more.");
    (void)os::remove_all(env.files, env.home.schedule()); // holds nothing now
    if (!o.purge) {
        if (!json) print_line("This machine's config and state are still in " + env.home.folder.string() + ".");
        return agent::exit_done;
    }
    auto lock = os::try_lock(env.home.lock(), "uninstall, process " + std::to_string(env.process_id));
    if (!lock && lock.error().code == fault_code::run_locked) return print_fault(lock.error());
    if (auto gone = env.files.remove(env.home.config); !gone && gone.error().code != fault_code::not_found)
        return print_fault(gone.error());
    if (auto gone = os::remove_all(env.files, env.home.folder); !gone) return print_fault(gone.error());
    if (!json) print_line(env.home.folder.string() + " was removed.");
    return agent::exit_done;
}

} // namespace

void add_schedule_commands(CLI::App& app, context& c)
{
    app.add_subcommand("run-due", "run what is due; what a scheduler calls every hour")->callback([&c] {
        c.action = [&c](agent::environment& env, std::stop_token stop) { return run_due(env, c.json, stop); };
    });
    auto* remove = app.add_subcommand("uninstall", "take the agent out of the machine's scheduler");
    auto o = std::make_shared<uninstall_options>();
    auto* purge = remove->add_flag("--purge", o->purge, "remove the agent's folder, too; asks before it does");
    remove->add_option("--confirm", o->confirm, "the answer to that question, where nobody can be asked")->needs(purge);
    remove->callback([&c, o] {
        c.action = [&c, o](agent::environment& env, std::stop_token) { return uninstall(env, *o, c.json); };
    });
}

} // namespace xentz::apps
