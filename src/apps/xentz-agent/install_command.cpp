#include "agent/enrolment.hpp"
#include "agent/exit_code.hpp"
#include "agent/recovery.hpp"
#include "agent/timetable.hpp"
#include "context.hpp"
#include "os/terminal.hpp"
#include "output.hpp"
#include "recovery_page.hpp"
#include "token.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct install_options {
    std::string token, token_file, server;
    std::string repository, password_file, password;
    std::string user_id = "default", daily_at, scheduler = "auto", ca_file;
    std::vector<std::string> include, exclude;
    bool allow_http = false;
    bool allow_remote_commands = false;
    bool again = false;
    bool with_sheet = false;
};

result<agent::enrolment_result> install(agent::environment& env, const install_options& o, std::stop_token stop)
{
    if (!o.repository.empty()) {
        agent::legacy_options legacy{.repository = o.repository, .user_id = o.user_id};
        legacy.password_file = absolute_or_none(o.password_file);
        if (!o.password.empty()) legacy.password = o.password;
        if (!legacy.password && !legacy.password_file)
            return fail(fault_code::usage, "--repo is given without the repository's password",
                        "Add --password-file FILE");
        legacy.include = absolute_paths(o.include);
        legacy.exclude = o.exclude;
        if (!o.daily_at.empty()) legacy.daily_at = o.daily_at;
        legacy.ca_file = absolute_or_none(o.ca_file);
        legacy.allow_http = o.allow_http;
        legacy.enrol_again = o.again;
        return agent::install_legacy(env, legacy);
    }
    if (o.server.empty())
        return fail(fault_code::usage, "neither --server nor --repo is given",
                    "Use --server URL with a token, or --repo URL with --password-file");
    auto token = read_token(env, o.token, o.token_file, "XENTZ_INSTALL_TOKEN");
    if (!token) return base::failed(token);
    agent::enrolment_options enrolment{.server_url = o.server, .token = std::move(*token), .user_id = o.user_id};
    enrolment.include = absolute_paths(o.include);
    enrolment.exclude = o.exclude;
    enrolment.ca_file = absolute_or_none(o.ca_file);
    enrolment.allow_http = o.allow_http;
    enrolment.allow_remote_commands = o.allow_remote_commands;
    enrolment.enrol_again = o.again;
    return agent::enrol(env, enrolment, stop);
}

struct install_output {
    std::optional<std::string> tenant_id;
    std::optional<std::string> device_id;
    std::string user_id;
    std::string home;
    std::string password_file;
    std::string scheduler = "none";
    std::vector<base::time_point> next_runs;
};
BOOST_DESCRIBE_STRUCT(install_output, (), (tenant_id, device_id, user_id, home, password_file, scheduler, next_runs))

void tell_password(const install_options& o, const agent::enrolment_result& r)
{
    const auto& c = r.config;
    const bool handed_over = c.managed() && r.password_made_here && !r.deposit_fault;
    if (!r.only_password)
        print_line("Repository password: " + c.restic.password_file +
                   (handed_over ? ", handed over sealed to the tenant's key" : ""));
    if (r.deposit_fault)
        print_warning("the repository's password could not be handed over yet, the next run tries again: " +
                      base::sentence(*r.deposit_fault));
    if (!r.only_password) return;
    print_line("The repository's password was made here and lies only in " + c.restic.password_file +
               ": keep a copy elsewhere, without it nothing can be restored.");
    show_recovery_sheet(c, *r.only_password, o.with_sheet);
}

void tell(agent::environment& env, const install_options& o, const agent::enrolment_result& r)
{
    const auto& c = r.config;
    if (c.managed())
        print_line("Enrolled as " + *c.device_id + " at " + *c.server_url + ".");
    else
        print_line("Set up with a repository of its own.");
    print_line("Config: " + env.home.config.string());
    tell_password(o, r);
    if (r.older_password) print_line("The older password was kept as " + r.older_password->string() + ".");
    if (!o.password.empty())
        print_warning("a password on the command line can be read by other users of this machine; use --password-file");
    if (c.managed() && !o.daily_at.empty()) print_warning("--daily-at is set by the server's policy and was ignored");
    if (r.config_fault) print_warning("the first config could not be fetched: " + base::sentence(*r.config_fault));
    if (r.folders == std::size_t{0})
        print_warning("no folder is named to be backed up; add include to the policy or to " +
                      env.home.config.string());
}

// The schedule after an enrolment, and by itself on a machine that is enrolled. The enrolment holds, whatever comes of
// the schedule.
result<std::string> schedule_runs(agent::environment& env, agent::local_config& local, const std::string& wish)
{
    return agent::install_timers(env, *env.timers, local, wish);
}

int schedule_again(agent::environment& env, const install_options& o)
{
    auto local = agent::load_local_config(env.files, env.home.config, *env.secrets);
    if (!local) return print_fault(local.error());
    const auto done = schedule_runs(env, *local, o.scheduler);
    if (!done) return print_fault(done.error());
    print_line(*done + ".");
    return agent::exit_done;
}

std::vector<base::time_point> next_runs(agent::environment& env, const agent::local_config& local)
{
    const auto timers = agent::look_at_timers(env, *env.timers, local);
    return timers ? timers->next_runs : std::vector<base::time_point>{};
}

int run_install(agent::environment& env, const install_options& o, bool json, std::stop_token stop)
{
    const bool enrols = !o.server.empty() || !o.repository.empty() || !o.token.empty() || !o.token_file.empty();
    if (!enrols && env.files.info(env.home.config)) return schedule_again(env, o);
    auto r = install(env, o, stop);
    if (!r) return print_fault({r.error().code, env.secrets->clean(r.error().message), r.error().remedy});
    if (!json) tell(env, o, *r);
    const auto scheduled = schedule_runs(env, r->config, o.scheduler);
    if (!json && scheduled) print_line(*scheduled + ".");
    if (!scheduled) print_warning("enrolled, but nothing is scheduled: " + base::sentence(scheduled.error()));
    // Who asked for no scheduler by name, on a machine that has none, got what there is and was told.
    const bool has_none =
        !scheduled && o.scheduler == "auto" && scheduled.error().code == fault_code::scheduler_missing;
    const int code = scheduled || has_none ? agent::exit_done : agent::exit_failed;
    if (!json) return code;
    print_json(install_output{.tenant_id = r->config.tenant_id,
                              .device_id = r->config.device_id,
                              .user_id = r->config.user_id,
                              .home = env.home.folder.string(),
                              .password_file = r->config.restic.password_file,
                              .scheduler = r->config.scheduler.value_or("none"),
                              .next_runs = next_runs(env, r->config)});
    return code;
}

} // namespace

void add_install_command(CLI::App& app, context& c)
{
    auto* install = app.add_subcommand(
        "install", "enrol this machine with a control plane, or set it up with a repository of one's own");
    auto o = std::make_shared<install_options>();
    install->add_option("--server", o->server, "address of the control plane")->type_name("URL");
    auto* token = install
                      ->add_option("--token", o->token,
                                   "the install token itself; other users of this machine can read a command line")
                      ->type_name("TOKEN");
    install
        ->add_option("--token-file", o->token_file,
                     "file that holds the install token; the variable XENTZ_INSTALL_TOKEN will do as well")
        ->type_name("FILE")
        ->excludes(token);
    auto* repository =
        install->add_option("--repo", o->repository, "a restic repository of one's own, without a control plane")
            ->type_name("ADDRESS");
    install->add_option("--password-file", o->password_file, "file that holds that repository's password")
        ->type_name("FILE")
        ->needs(repository);
    install
        ->add_option("--password", o->password,
                     "that password itself; other users of this machine can read a command line")
        ->type_name("PASSWORD")
        ->needs(repository);
    install->add_option("--include", o->include, "folder or file to back up; may be repeated")->type_name("PATH");
    install->add_option("--exclude", o->exclude, "pattern of restic for what stays out; may be repeated")
        ->type_name("PATTERN");
    install->add_option("--daily-at", o->daily_at, "time of the daily backup, for a repository of one's own")
        ->type_name("HH:MM");
    install->add_option("--user-id", o->user_id, "last part of the repository's address")
        ->type_name("ID")
        ->capture_default_str();
    install->add_option("--scheduler", o->scheduler, "auto, systemd, cron, launchd, task-scheduler or none")
        ->type_name("NAME")
        ->capture_default_str();
    install
        ->add_option("--ca-file", o->ca_file, "PEM file of the certificate authority to trust instead of the system's")
        ->type_name("FILE");
    install->add_flag("--recovery-sheet", o->with_sheet,
                      "where this machine alone gets the repository's password, print it for paper although the output "
                      "is no terminal");
    install->add_flag("--allow-http", o->allow_http, "allow plain HTTP to an address that is not loopback");
    install->add_flag(
        "--allow-remote-commands", o->allow_remote_commands,
        "let the server's policy say which programs are run around the jobs, as this user; otherwise only "
        "those that this machine names itself (commands.json)");
    install->add_flag("--again", o->again,
                      "set up a machine that already is: it becomes a new device with a new, empty repository");
    install->callback([&c, o] {
        c.action = [&c, o](agent::environment& env, std::stop_token stop) {
            return run_install(env, *o, c.json, stop);
        };
    });
}

} // namespace xentz::apps
