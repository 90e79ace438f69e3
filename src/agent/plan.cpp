#include "agent/plan.hpp"

#include "domain/pattern.hpp"

#include <algorithm>
#include <array>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

bool was_refused(const base::fault& f)
{
    return f.code == fault_code::server_refused || f.code == fault_code::content_refused ||
           f.code == fault_code::config_refused;
}

// What the kernel makes up while it is read; a policy that says nothing of them must not put them into a backup. A
// folder there that somebody named is backed up all the same.
void leave_out_kernel_folders(engine::backup_request& r)
{
    constexpr auto kernel_folders = std::to_array<std::string_view>({"/proc", "/sys", "/dev"});
    for (const auto folder : kernel_folders) {
        const auto named = [&](const std::string& path) { return domain::lies_in(path, folder); };
        if (std::ranges::none_of(r.include, named) && std::ranges::find(r.exclude, folder) == r.exclude.end())
            r.exclude.emplace_back(folder);
    }
}

} // namespace

result<> check_enabled(const effective_config& effective)
{
    if (effective.config.enabled) return {};
    return fail(fault_code::disabled,
                effective.origin == config_origin::local ? "this agent is disabled in its config.json"
                                                         : "the control plane has disabled this device",
                effective.origin == config_origin::local
                    ? "Set enabled to true there"
                    : "Ask an administrator; `xentz-server device enable` lifts it");
}

engine::scope scope_of(const local_config& local) { return {.host = local.host, .tag = domain::files_tag}; }

engine::scope scope_of_dumps(const local_config& local) { return {.host = local.host, .tag = domain::dumps_tag}; }

result<engine::backup_request> plan_backup(const local_config& local, const effective_config& effective, const home& h)
{
    if (auto ok = check_enabled(effective); !ok) return base::failed(ok);
    if (effective.config.include.empty() && effective.config.dumps.value_or(std::vector<std::string>{}).empty())
        return fail(fault_code::config_invalid, "no folder is named to be backed up",
                    effective.origin == config_origin::local
                        ? "Add it to include in config.json"
                        : "Enrol with --include, or add it to include of the policy on the server");
    engine::backup_request r;
    r.scope = scope_of(local);
    r.include = effective.config.include;
    r.exclude = effective.config.exclude;
    leave_out_kernel_folders(r);
    // The agent's own folder holds the repository's password and a cache of the repository.
    r.exclude.push_back(domain::literal_pattern(h.folder.string()));
    return r;
}

std::vector<std::string> excluded_includes(const engine::backup_request& r)
{
    std::vector<std::string> out;
    for (const auto& folder : r.include)
        for (const auto& pattern : r.exclude)
            if (domain::takes_away(pattern, folder))
                out.push_back("nothing of " + folder + " is backed up: it is excluded by " + pattern);
    return out;
}

result<domain::retention> plan_retention(const effective_config& effective)
{
    if (auto ok = check_enabled(effective); !ok) return base::failed(ok);
    if (effective.fetch_fault && was_refused(*effective.fetch_fault))
        return fail(fault_code::server_refused,
                    "no snapshot is removed by a cached policy while the server refuses the current one (" +
                        effective.fetch_fault->message + ")",
                    effective.fetch_fault->remedy);
    if (auto ok = check_clock(effective.clock_skew); !ok) return base::failed(ok);
    if (domain::keeps_nothing(effective.config.retention))
        return fail(fault_code::retention_empty, "the retention policy would keep no snapshot at all",
                    "Set at least one keep_ value");
    return effective.config.retention;
}

result<> check_clock(const std::optional<std::chrono::seconds>& skew)
{
    if (!is_clock_wrong(skew)) return {};
    return fail(fault_code::clock_wrong, describe_skew(*skew) + ": no snapshot is removed",
                "Set the clock, for example with NTP, and run it again");
}

} // namespace xentz::agent
