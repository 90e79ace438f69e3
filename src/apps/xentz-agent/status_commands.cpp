#include "agent/exit_code.hpp"
#include "agent/status.hpp"
#include "context.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace xentz::apps {
namespace {

struct version_output {
    std::string agent;
    std::string engine;
    std::optional<std::string> engine_version;
};
BOOST_DESCRIBE_STRUCT(version_output, (), (agent, engine, engine_version))

int show_status(agent::environment& env, bool json)
{
    const auto s = agent::read_status(env);
    if (json)
        print_json(s);
    else
        std::cout << env.secrets->clean(agent::describe(s, env.clock.now())) << std::flush;
    return s.state == "not-enrolled" ? agent::exit_no_config : agent::exit_done;
}

int show_version(agent::environment& env, bool json)
{
    const auto version = env.engine.version();
    version_output v{.agent = env.agent_version, .engine = std::string{env.engine.name()}};
    if (version) v.engine_version = *version;
    if (json)
        print_json(v);
    else
        print_line("xentz-agent " + v.agent + ", " + v.engine + " " + v.engine_version.value_or("(not found)"));
    return version ? agent::exit_done : print_fault(version.error());
}

} // namespace

void add_status_commands(CLI::App& app, context& c)
{
    app.add_subcommand("status", "is the data safe? the last runs, what waits to be sent, and what to do")
        ->callback(
            [&c] { c.action = [&c](agent::environment& env, std::stop_token) { return show_status(env, c.json); }; });
    app.add_subcommand("version", "versions of the agent and of restic")->callback([&c] {
        c.action = [&c](agent::environment& env, std::stop_token) { return show_version(env, c.json); };
    });
}

} // namespace xentz::apps
