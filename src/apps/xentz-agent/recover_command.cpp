#include "agent/exit_code.hpp"
#include "agent/recovery.hpp"
#include "agent/restore.hpp"
#include "agent/timetable.hpp"
#include "context.hpp"
#include "job_output.hpp"
#include "os/terminal.hpp"
#include "output.hpp"
#include "progress_line.hpp"
#include "token.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <iostream>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct recover_options {
    std::string token, token_file, server, device, target, password_file, private_key_file, ca_file;
    std::string scheduler = "auto";
    agent::restore_options restore;
    bool take_over = false;
    bool yes = false;
    bool allow_http = false;
};

struct recover_output {
    std::string lost_device_id;
    std::string hostname;
    std::optional<base::time_point> last_seen_at;
    std::optional<base::time_point> last_good_backup_at;
    base::time_point readable_until;
    std::optional<agent::job_state> restore;
    std::optional<std::string> device_id; // of this machine, once it has taken over
    std::string scheduler = "none";
};
BOOST_DESCRIBE_STRUCT(recover_output, (),
                      (lost_device_id, hostname, last_seen_at, last_good_backup_at, readable_until, restore, device_id,
                       scheduler))

std::string minute(base::time_point t)
{
    auto text = base::to_rfc3339(t).substr(0, 16);
    text[10] = ' ';
    return text + " UTC";
}

std::string when(const std::optional<base::time_point>& t, base::time_point now)
{
    if (!t) return "never";
    const auto age =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::max(now - *t, base::time_point::duration{0}));
    return minute(*t) + ", " + base::to_words(age) + " ago";
}

void tell(const agent::environment& env, const agent::recovery& r)
{
    const auto now = env.clock.now();
    print_line("Lost machine      " + r.lost.hostname + " (" + r.lost.device_id + ")");
    print_line("Last seen         " + when(r.lost.last_seen_at, now));
    print_line("Last good backup  " + when(r.lost.last_good_backup_at, now));
    print_line("Readable until    " + minute(r.lost.expires_at) +
               ", also with `xentz-agent snapshots`, `ls` and `restore`");
    if (r.custody != r.lost.custody)
        print_warning("the server says that custody is " + r.lost.custody +
                      ", but the password that opens the repository "
                      "was in another place; with --take-over this machine goes on with custody " +
                      r.custody);
    if (r.older_password) print_line("A password that lay here was kept as " + r.older_password->string() + ".");
}

struct question {
    std::string asks;
    std::string who_has_it;
    std::string option;
};
const question for_password{
    "The repository's password: ", "only the lost machine's owner has the repository's password", "--password-file"};
const question for_private_key{"The tenant's private key: ",
                               "the password is sealed, and only the tenant has the key to it", "--private-key-file"};

// From a file, or from whoever sits there.
result<std::string> ask(agent::environment& env, const question& q, const std::string& file)
{
    auto text = file.empty() ? os::ask_secret(q.asks) : os::read_all(env.files, std::filesystem::absolute(file), 65536);
    if (!text && file.empty() && text.error().code == fault_code::usage)
        return fail(fault_code::usage, q.who_has_it,
                    "Name a file that holds it, or its recovery sheet, with " + q.option);
    if (!text) return text;
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    return text;
}

// The lost machine may be alive after all: whoever takes its place has seen when it last spoke.
result<> confirm_take_over(const recover_options& o, const agent::recovery& r)
{
    if (!r.lost.allow_take_over)
        return fail(fault_code::server_refused, "the token allows no take-over",
                    "Leave out --take-over, or ask an administrator for a token made with --allow-take-over");
    if (o.yes) return {};
    if (::isatty(STDIN_FILENO) != 1)
        return fail(fault_code::usage, "--take-over was not confirmed",
                    "Add --yes: " + r.lost.hostname + " will be revoked, and this machine goes on in its place");
    std::cout << r.lost.hostname
              << " will be revoked, and this machine goes on in its place.\nType \"yes\" to go on: " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "yes") return {};
    return fail(fault_code::usage, "the take-over was not confirmed; nothing was restored",
                "Run it again with the same token");
}

int restore(agent::environment& env, const recover_options& o, const context& c, std::stop_token stop,
            recover_output& out)
{
    auto options = o.restore;
    options.target = std::filesystem::absolute(o.target).lexically_normal();
    auto done = [&] {
        progress_line line{{.verbose = c.verbose}, env.log};
        return agent::run_job(env, domain::job::restore,
                              agent::restore_work(options, [&](const engine::progress& p) { line.show(p); }), stop);
    }();
    if (done) out.restore = done->state;
    if (c.json && done && !done->fault) return agent::exit_done;
    return conclude(env, std::move(done), false);
}

int take_place(agent::environment& env, const recover_options& o, const agent::recovery_options& ro,
               const agent::recovery& r, bool json, std::stop_token stop, recover_output& out)
{
    auto config = agent::take_over(env, ro, r, std::move(stop));
    if (!config) return print_fault(config.error());
    out.device_id = config->device_id;
    if (!json)
        print_line("This machine is " + *config->device_id + " now, in the place of " + r.lost.device_id +
                   ", which is revoked.");
    const auto scheduled = agent::install_timers(env, *env.timers, *config, o.scheduler);
    if (scheduled && !json) print_line(*scheduled + ".");
    if (!scheduled) print_warning("nothing is scheduled: " + base::sentence(scheduled.error()));
    out.scheduler = config->scheduler.value_or("none");
    const bool has_none =
        !scheduled && o.scheduler == "auto" && scheduled.error().code == fault_code::scheduler_missing;
    return scheduled || has_none ? agent::exit_done : agent::exit_failed;
}

result<agent::recovery_options> options_of(agent::environment& env, const recover_options& o)
{
    if (o.target.empty() && !o.take_over)
        return fail(fault_code::usage, "--target is not given", "Name the folder to restore into");
    auto token = read_token(env, o.token, o.token_file, "XENTZ_RECOVERY_TOKEN");
    if (!token) return base::failed(token);
    agent::recovery_options ro{.server_url = o.server, .token = std::move(*token)};
    if (!o.device.empty()) ro.device_id = o.device;
    ro.ca_file = absolute_or_none(o.ca_file);
    ro.allow_http = o.allow_http;
    ro.password = [&env, file = o.password_file] { return ask(env, for_password, file); };
    ro.password_given = !o.password_file.empty();
    ro.private_key_given = !o.private_key_file.empty();
    ro.private_key = [&env, file = o.private_key_file] { return ask(env, for_private_key, file); };
    return ro;
}

int recover(agent::environment& env, const recover_options& o, const context& c, std::stop_token stop)
{
    const auto ro = options_of(env, o);
    if (!ro) return print_fault(ro.error());
    const auto r = agent::begin_recovery(env, *ro, stop);
    if (!r) return print_fault({r.error().code, env.secrets->clean(r.error().message), r.error().remedy});
    recover_output out{.lost_device_id = r->lost.device_id,
                       .hostname = r->lost.hostname,
                       .last_seen_at = r->lost.last_seen_at,
                       .last_good_backup_at = r->lost.last_good_backup_at,
                       .readable_until = r->lost.expires_at,
                       .restore = {},
                       .device_id = {}};
    if (!c.json) tell(env, *r);
    if (o.take_over)
        if (auto ok = confirm_take_over(o, *r); !ok) return print_fault(ok.error());
    // First the files: a restore that fails must not end the life of the old machine.
    int code = o.target.empty() ? agent::exit_done : restore(env, o, c, stop, out);
    if (code == agent::exit_done && o.take_over) code = take_place(env, o, *ro, *r, c.json, stop, out);
    if (c.json) print_json(out);
    return code;
}

void add_options(CLI::App& command, const std::shared_ptr<recover_options>& o)
{
    command.add_option("SNAPSHOT", o->restore.snapshot, "an id, latest, or a day such as 2026-11-23")
        ->type_name("")
        ->capture_default_str();
    command.add_option("--server", o->server, "address of the control plane")->type_name("URL")->required();
    auto* token = command
                      .add_option("--token", o->token,
                                  "the recovery token itself; other users of this machine can read a command line")
                      ->type_name("TOKEN");
    command
        .add_option("--token-file", o->token_file,
                    "file that holds the recovery token; the variable XENTZ_RECOVERY_TOKEN will do as well")
        ->type_name("FILE")
        ->excludes(token);
    command.add_option("--target", o->target, "folder to restore into; the files keep their full paths below it")
        ->type_name("FOLDER");
    command.add_option("--device", o->device, "the lost machine, to be sure that the token is for it")->type_name("ID");
    command
        .add_option("--include", o->restore.include, "restore only what this path or pattern matches; may be repeated")
        ->type_name("PATTERN");
    command.add_flag("--overwrite", o->restore.overwrite,
                     "write into a folder that holds something; files of the same name are replaced");
    command
        .add_option("--password-file", o->password_file,
                    "file that holds the repository's password or its recovery sheet, where only the machine had it")
        ->type_name("FILE");
    command
        .add_option("--private-key-file", o->private_key_file,
                    "file that holds the tenant's private key or its recovery sheet, where passwords are sealed to it")
        ->type_name("FILE");
    command
        .add_option("--ca-file", o->ca_file, "PEM file of the certificate authority to trust instead of the system's")
        ->type_name("FILE");
    command.add_flag("--allow-http", o->allow_http, "allow plain HTTP to an address that is not loopback");
    auto* take_over = command.add_flag(
        "--take-over", o->take_over,
        "then go on in its place: same repository, same policy; without --target nothing is restored before");
    command.add_flag("--yes", o->yes, "do not ask before the lost machine is revoked")->needs(take_over);
    command.add_option("--scheduler", o->scheduler, "auto, systemd, cron, launchd, task-scheduler or none")
        ->type_name("NAME")
        ->capture_default_str()
        ->needs(take_over);
}

} // namespace

void add_recover_command(CLI::App& app, context& c)
{
    auto* command =
        app.add_subcommand("recover", "get the files of a lost machine back on this one, and take its place");
    auto o = std::make_shared<recover_options>();
    add_options(*command, o);
    command->callback([&c, o] {
        c.action = [&c, o](agent::environment& env, std::stop_token stop) { return recover(env, *o, c, stop); };
    });
}

} // namespace xentz::apps
