#include "agent/config_source.hpp"
#include "agent/exit_code.hpp"
#include "agent/local_additions.hpp"
#include "context.hpp"
#include "os/inspection.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>

namespace xentz::apps {
namespace {

using agent::list_change;
using agent::local_list;

void print_list(std::string_view label, const std::vector<std::string>& policy, const std::vector<std::string>& own,
                std::string_view policy_name)
{
    constexpr std::string_view margin = "            ";
    auto head = std::string{label};
    const auto line = [&](const std::string& entry, std::string_view whose) {
        std::cout << head << printable(entry) << "  (" << whose << ")\n";
        head = margin;
    };
    for (const auto& entry : policy) line(entry, policy_name);
    for (const auto& entry : own)
        if (std::ranges::find(policy, entry) == policy.end()) line(entry, "this machine's own");
    if (head != margin) std::cout << head << "none\n";
}

void tell_config(agent::environment& env, const agent::local_config& local, const agent::effective_config& policy)
{
    if (local.managed())
        std::cout << "Server      " << *local.server_url << ", this machine is " << local.device_id.value_or("unknown")
                  << "\nConfig      "
                  << (policy.origin == agent::config_origin::server
                          ? std::string{"the server's of now"}
                          : "the one of " + base::to_rfc3339(policy.fetched_at) + ", the server gave none now")
                  << ", version " << policy.config.version << "\n";
    else
        std::cout << "Config      this machine's own, without a control plane\n";
    const auto& c = policy.config;
    std::cout << "Repository  " << env.secrets->clean(c.restic.repository) << "\n"
              << "Backups     " << (c.enabled ? "switched on" : "switched off") << ", daily at " << c.schedule.daily_at
              << "\n";
    print_list("Include     ", c.include, local.include, "policy");
    print_list("Exclude     ", c.exclude, local.exclude, "policy");
    std::cout << "Retention   " << wire::print_json(wire::to_json(c.retention)) << "\n" << std::flush;
}

void print_config_json(agent::environment& env, const agent::local_config& local,
                       const base::result<agent::effective_config>& policy)
{
    wire::json::object out;
    auto own = wire::to_json(local);
    if (own.get_object().contains("device_api_key")) own.get_object()["device_api_key"] = "***";
    out["local"] = std::move(own);
    if (policy) {
        auto effective = policy->config;
        agent::add_missing(effective.include, local.include);
        agent::add_missing(effective.exclude, local.exclude);
        out["origin"] = agent::name(policy->origin);
        out["policy"] = wire::to_json(agent::local_additions{policy->config.include, policy->config.exclude});
        out["effective"] = wire::encode_config(effective);
    }
    std::cout << env.secrets->clean(wire::pretty_json(out)) << std::flush;
}

// The config that the next run would work with, fetched now, with every secret masked.
int show_config(agent::environment& env, bool json, std::stop_token stop)
{
    const auto local = agent::load_local_config(env.files, env.home.config, *env.secrets);
    if (!local) return print_fault(local.error());
    const auto client = env.make_client(agent::client_options_of(*local, env.agent_version));
    std::optional<agent::control_plane> server;
    if (local->managed()) server.emplace(*client, *local->server_url);
    // Without the machine's own additions, so that both can be told apart.
    auto bare = *local;
    bare.include.clear();
    bare.exclude.clear();
    const auto policy = agent::load_config(env, bare, server ? &*server : nullptr, std::move(stop));
    if (json)
        print_config_json(env, *local, policy);
    else if (policy)
        tell_config(env, *local, *policy);
    return policy ? agent::exit_done : print_fault(policy.error());
}

struct list_arguments {
    std::vector<std::string> entries;
    bool none = false;
};

int change_list(agent::environment& env, local_list list, list_change change, const list_arguments& given, bool json)
{
    if (given.entries.empty() == !given.none)
        return print_fault({base::fault_code::usage, "name at least one entry, or --none to empty the list", ""});
    const auto entries = list == local_list::include ? absolute_paths(given.entries) : given.entries;
    const auto now = agent::change_additions(env, list, change, entries);
    if (!now) return print_fault(now.error());
    if (list == local_list::include && change != list_change::remove)
        for (const auto& path : entries)
            if (os::may_read(path) != os::readability::readable)
                print_warning(path + " does not exist or cannot be read by this user; each backup is incomplete "
                                     "until that is mended");
    if (json) {
        print_json(*now);
    } else {
        print_list("Include     ", {}, now->include, "");
        print_list("Exclude     ", {}, now->exclude, "");
        std::cout << std::flush;
    }
    return agent::exit_done;
}

void add_list_command(CLI::App& parent, context& c, local_list list, list_change change)
{
    const bool include = list == local_list::include;
    const auto what =
        std::string{include ? "folders that this machine backs up" : "patterns that this machine excludes"};
    const auto* beyond = " beside those of its policy";
    auto* command = parent.add_subcommand(include ? "include" : "exclude", what + beyond);
    auto given = std::make_shared<list_arguments>();
    command
        ->add_option(include ? "FOLDER" : "PATTERN", given->entries,
                     include ? "a folder or file" : "a pattern of restic")
        ->type_name("");
    if (change == list_change::set) command->add_flag("--none", given->none, "empty the list");
    command->callback([&c, list, change, given] {
        c.action = [&c, list, change, given](agent::environment& env, std::stop_token) {
            return change_list(env, list, change, *given, c.json);
        };
    });
}

} // namespace

void add_config_commands(CLI::App& app, context& c)
{
    auto* config =
        app.add_subcommand("config", "show what the agent works with, and change what this machine adds to it");
    config->require_subcommand(1);
    config->add_subcommand("show", "print the config of the next run, its secrets masked")->callback([&c] {
        c.action = [&c](agent::environment& env, std::stop_token stop) {
            return show_config(env, c.json, std::move(stop));
        };
    });
    struct verb {
        const char* name;
        const char* description;
        list_change change;
    };
    for (const auto& [name, description, change] :
         {verb{"set", "replace this machine's own list", list_change::set},
          verb{"add", "add to this machine's own list", list_change::add},
          verb{"remove", "take out of this machine's own list", list_change::remove}}) {
        auto* command = config->add_subcommand(name, description);
        command->require_subcommand(1);
        add_list_command(*command, c, local_list::include, change);
        add_list_command(*command, c, local_list::exclude, change);
    }
}

} // namespace xentz::apps
