#include "agent/exit_code.hpp"
#include "agent/password_rotation.hpp"
#include "context.hpp"
#include "output.hpp"
#include "recovery_page.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

struct rotate_options {
    std::string custody, custody_key;
    bool with_sheet = false;
};

struct rotate_output {
    std::string old_password_file;
    bool went_on = false;
    std::optional<std::string> custody;
};
BOOST_DESCRIBE_STRUCT(rotate_output, (), (old_password_file, went_on, custody))

std::optional<agent::wished_custody> wish_of(const rotate_options& o)
{
    if (o.custody.empty()) return std::nullopt;
    agent::wished_custody wish{.custody = o.custody, .custody_key = {}};
    if (!o.custody_key.empty()) wish.custody_key = o.custody_key;
    return wish;
}

int rotate(agent::environment& env, const rotate_options& o, bool json, std::stop_token stop)
{
    const auto done = agent::rotate_password(env, wish_of(o), std::move(stop));
    if (!done) return print_fault({done.error().code, env.secrets->clean(done.error().message), done.error().remedy});
    for (const auto& warning : done->warnings) print_warning(env.secrets->clean(warning));
    if (json) {
        print_json(rotate_output{done->old_password.string(), done->went_on, done->config.custody});
        return agent::exit_done;
    }
    print_line(std::string{done->went_on ? "The rotation that had been cut short is done: the" : "The"} +
               " repository opens with a new password, and no longer with the old one.");
    print_line("The old one was kept as " + done->old_password.string() +
               ": it opens copies of the repository's keys from before.");
    if (!done->only_password) return agent::exit_done;
    print_line("The new password lies only in " + done->config.restic.password_file +
               ": keep a copy elsewhere, without it nothing can be restored.");
    show_recovery_sheet(done->config, *done->only_password, o.with_sheet);
    return agent::exit_done;
}

} // namespace

void add_rotate_command(CLI::App& app, context& c)
{
    auto* command =
        app.add_subcommand("rotate-password", "give the repository a new password, and take the old one away");
    auto o = std::make_shared<rotate_options>();
    auto* custody = command
                        ->add_option("--custody", o->custody,
                                     "who is to have the new password besides this machine: server, sealed or device "
                                     "(nobody); otherwise whoever had the old one")
                        ->type_name("WHO");
    command
        ->add_option("--custody-key", o->custody_key,
                     "with sealed: the public key that `xentz-server custody keygen` has printed")
        ->type_name("KEY")
        ->needs(custody);
    command->add_flag("--recovery-sheet", o->with_sheet,
                      "where this machine alone has the new password, print it for paper although the output is no "
                      "terminal");
    command->callback([&c, o] {
        c.action = [&c, o](agent::environment& env, std::stop_token stop) { return rotate(env, *o, c.json, stop); };
    });
}

} // namespace xentz::apps
