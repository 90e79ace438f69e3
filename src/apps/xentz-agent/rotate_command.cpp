#include "agent/exit_code.hpp"
#include "agent/password_rotation.hpp"
#include "context.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

struct rotate_output {
    std::string old_password_file;
    bool went_on = false;
};
BOOST_DESCRIBE_STRUCT(rotate_output, (), (old_password_file, went_on))

int rotate(agent::environment& env, bool json, std::stop_token stop)
{
    const auto done = agent::rotate_password(env, std::move(stop));
    if (!done) return print_fault({done.error().code, env.secrets->clean(done.error().message), done.error().remedy});
    for (const auto& warning : done->warnings) print_warning(env.secrets->clean(warning));
    if (json) {
        print_json(rotate_output{done->old_password.string(), done->went_on});
        return agent::exit_done;
    }
    print_line(std::string{done->went_on ? "The rotation that had been cut short is done: the" : "The"} +
               " repository opens with a new password, and no longer with the old one.");
    print_line("The old one was kept as " + done->old_password.string() +
               ": it opens copies of the repository's keys from before.");
    return agent::exit_done;
}

} // namespace

void add_rotate_command(CLI::App& app, context& c)
{
    app.add_subcommand("rotate-password", "give the repository a new password, and take the old one away")
        ->callback([&c] {
            c.action = [&c](agent::environment& env, std::stop_token stop) { return rotate(env, c.json, stop); };
        });
}

} // namespace xentz::apps
