#include "agent/local_commands.hpp"

#include "wire/unknown_key.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 20U;
constexpr unsigned writable_by_others = 022;

std::unexpected<base::fault> not_usable(const std::filesystem::path& p, const std::string& why,
                                        const std::string& remedy)
{
    return fail(fault_code::config_invalid, p.string() + " is not used: " + why, remedy);
}

// The file and the folder that it lies in: who may rename in there may replace it.
result<> check_owner(os::files& fs, const std::filesystem::path& p, os::file_kind kind)
{
    const auto info = fs.info(p);
    if (!info) return std::unexpected(info.error());
    if (info->kind != kind)
        return not_usable(p, kind == os::file_kind::regular ? "it is no regular file" : "it is no folder",
                          "Put the file itself there, not a link to it");
    if (info->owner != 0 && info->owner != os::user_id())
        return not_usable(p, "it belongs to user " + std::to_string(info->owner) + ", not to root or the agent's own",
                          "Make it the agent's own: chown it, after a look at what it says");
    if ((info->mode & writable_by_others) != 0)
        return not_usable(p, "others than its owner may write it", "Run `chmod go-w " + p.string() + "`");
    return {};
}

const domain::command* find(const std::vector<domain::command>& all, const std::string& name)
{
    const auto at = std::ranges::find(all, name, &domain::command::name);
    return at == all.end() ? nullptr : &*at;
}

} // namespace

result<std::vector<domain::command>> load_local_commands(os::files& fs, const home& h)
{
    const auto file = h.commands();
    if (const auto there = fs.info(file); !there && there.error().code == fault_code::not_found)
        return std::vector<domain::command>{};
    // The folder first: nobody can then put another file there between the look and the reading.
    if (auto ok = check_owner(fs, file.parent_path(), os::file_kind::directory); !ok) return base::failed(ok);
    if (auto ok = check_owner(fs, file, os::file_kind::regular); !ok) return base::failed(ok);
    auto text = os::read_all(fs, file, most_bytes);
    if (!text) return base::failed(text);
    const auto remedy = "Mend it; docs/hooks.md says what it holds";
    const auto value = wire::parse_json(*text);
    if (!value) return not_usable(file, value.error().message, remedy);
    auto all = wire::from_json<local_commands>(*value);
    if (!all) return not_usable(file, all.error().message, remedy);
    if (all->format != 1) return not_usable(file, "it was written for a newer agent", "Install that agent's version");
    if (const auto key = wire::find_unknown_key<local_commands>(*value))
        return not_usable(file, *key + ": no command has such a key", remedy);
    if (const auto ok = domain::validate_commands(all->commands); !ok)
        return not_usable(file, ok.error().message, remedy);
    return std::move(all->commands);
}

result<domain::command> find_command(environment& env, const local_config& local, const effective_config& effective,
                                     const std::string& name)
{
    const auto own = load_local_commands(env.files, env.home);
    if (!own) return std::unexpected(own.error());
    if (const auto* command = find(*own, name)) return *command;
    const auto remote = effective.config.commands.value_or(std::vector<domain::command>{});
    const auto* command = find(remote, name);
    if (command != nullptr && local.allow_remote_commands) return *command;
    if (command != nullptr)
        return fail(fault_code::config_invalid,
                    "the command " + name + " is the server's, and this machine runs none but its own",
                    "Write it into " + env.home.commands().string() + ", or set allow_remote_commands in config.json");
    return fail(fault_code::config_invalid, "this machine knows no command " + name,
                "Write it into " + env.home.commands().string());
}

} // namespace xentz::agent
