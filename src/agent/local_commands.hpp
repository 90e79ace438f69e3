// commands.json: the commands that this machine lets run around its jobs, each by a name (docs/hooks.md). Only what
// root or the agent's own user wrote counts: who can write that file can run anything as the agent.
//
// What a policy brings itself (its `commands`) counts only where config.json says `allow_remote_commands`; where both
// know a name, the machine's own word holds.
#pragma once

#include "agent/config_source.hpp"
#include "agent/environment.hpp"
#include "agent/local_config.hpp"
#include "domain/commands.hpp"

#include <string>
#include <vector>

namespace xentz::agent {

struct local_commands {
    static constexpr bool missing_keys_keep_defaults = true;
    std::uint32_t format = 1;
    std::vector<domain::command> commands;
};
BOOST_DESCRIBE_STRUCT(local_commands, (), (format, commands))

// None where there is no such file. config_invalid where somebody else could have written it, or where it cannot be
// used.
base::result<std::vector<domain::command>> load_local_commands(os::files& fs, const home& h);

// What the name stands for on this machine. config_invalid where nothing is known by it, or commands.json cannot be
// used.
base::result<domain::command> find_command(environment& env, const local_config& local,
                                           const effective_config& effective, const std::string& name);

} // namespace xentz::agent
