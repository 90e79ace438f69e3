// What a machine adds to the policy of its server: its own include and exclude, which lie in config.json apart from
// the server's (docs/agent-files.md). Without a control plane they are all there is.
// Changing them takes the lock of config.json, not that of a run: the run under way keeps the config that it began
// with, the next one has the new one.
#pragma once

#include "agent/environment.hpp"

#include <string>
#include <vector>

namespace xentz::agent {

enum class local_list { include, exclude };
enum class list_change { set, add, remove };

struct local_additions {
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    bool operator==(const local_additions&) const = default;
};
BOOST_DESCRIBE_STRUCT(local_additions, (), (include, exclude))

// What holds afterwards, each entry once. Faults: usage where an entry breaks a rule or is to be removed and is not
// there; run_locked where somebody else is writing config.json; those of loading and saving it. Nothing was changed
// then.
base::result<local_additions> change_additions(environment& env, local_list list, list_change change,
                                               const std::vector<std::string>& entries);

} // namespace xentz::agent
