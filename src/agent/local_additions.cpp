#include "agent/local_additions.hpp"

#include "agent/config_source.hpp"
#include "agent/local_config.hpp"
#include "os/lock.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

std::string_view name(local_list list) { return list == local_list::include ? "include" : "exclude"; }

result<std::vector<std::string>> changed(std::vector<std::string> old, local_list list, list_change change,
                                         const std::vector<std::string>& entries)
{
    if (change == list_change::set) old.clear();
    if (change != list_change::remove) {
        add_missing(old, entries);
        return old;
    }
    for (const auto& entry : entries)
        if (std::erase(old, entry) == 0)
            return fail(fault_code::usage,
                        entry + " is not in this machine's own " + std::string{name(list)} +
                            ", so it cannot be removed",
                        "See `xentz-agent config show`; what the server's policy names is changed on the server");
    return old;
}

} // namespace

result<local_additions> change_additions(environment& env, local_list list, list_change change,
                                         const std::vector<std::string>& entries)
{
    // Without one there is no home to make a lock in.
    if (const auto there = load_local_config(env.files, env.home.config, *env.secrets); !there)
        return std::unexpected(there.error());
    if (auto ok = prepare(env.files, env.home); !ok) return base::failed(ok);
    const auto lock = os::try_lock(env.home.config_lock(), "config, process " + std::to_string(env.process_id));
    if (!lock) return std::unexpected(lock.error());
    auto config = load_local_config(env.files, env.home.config, *env.secrets);
    if (!config) return base::failed(config);
    auto& own = list == local_list::include ? config->include : config->exclude;
    auto fresh = changed(own, list, change, entries);
    if (!fresh) return base::failed(fresh);
    if (const auto ok =
            list == local_list::include ? domain::validate_include(*fresh) : domain::validate_exclude(*fresh);
        !ok)
        return fail(fault_code::usage, ok.error().message, ok.error().remedy);
    own = std::move(*fresh);
    if (auto ok = save_local_config(env.files, env.home.config, *config); !ok) return base::failed(ok);
    return local_additions{config->include, config->exclude};
}

} // namespace xentz::agent
