#include "agent/config_source.hpp"
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

// The config that the next run would work with, fetched now, with every secret masked.
int show_config(agent::environment& env, std::stop_token stop)
{
    auto local = agent::load_local_config(env.files, env.home.config, *env.secrets);
    if (!local) return print_fault(local.error());
    const auto client = env.make_client(agent::client_options_of(*local, env.agent_version));
    std::optional<agent::control_plane> server;
    if (local->managed()) server.emplace(*client, *local->server_url);
    const auto effective = agent::load_config(env, *local, server ? &*server : nullptr, stop);
    wire::json::object out;
    auto own = wire::to_json(*local);
    if (own.get_object().contains("device_api_key")) own.get_object()["device_api_key"] = "***";
    out["local"] = std::move(own);
    if (effective) {
        out["origin"] = agent::name(effective->origin);
        out["effective"] = wire::encode_config(effective->config);
    }
    std::cout << env.secrets->clean(wire::pretty_json(out)) << std::flush;
    return effective ? agent::exit_done : print_fault(effective.error());
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

void add_config_commands(CLI::App& app, context& c)
{
    app.add_subcommand("status", "the last runs, what is pending, and whether the data is safe")->callback([&c] {
        c.action = [&c](agent::environment& env, std::stop_token) { return show_status(env, c.json); };
    });
    auto* config = app.add_subcommand("config", "what the agent works with");
    config->require_subcommand(1);
    config->add_subcommand("show", "print the effective config, its secrets masked")->callback([&c] {
        c.action = [](agent::environment& env, std::stop_token stop) { return show_config(env, stop); };
    });
    app.add_subcommand("version", "versions of the agent and of restic")->callback([&c] {
        c.action = [&c](agent::environment& env, std::stop_token) { return show_version(env, c.json); };
    });
}

} // namespace xentz::apps
