#include "agent/doctor_findings.hpp"

#include "agent/plan.hpp"
#include "base/size_text.hpp"
#include "base/time_text.hpp"

#include <array>
#include <cstdio>

namespace xentz::agent {
namespace {

using base::fault_code;
using enum finding_state;

std::string ago(base::time_point t, base::time_point now)
{
    return base::to_words(std::chrono::duration_cast<std::chrono::milliseconds>(now - t)) + " ago";
}

finding of_fault(std::string check, finding_state state, const base::fault& f)
{
    return {std::move(check), state, f.message, f.remedy};
}

bool is_transport(const base::fault& f)
{
    return f.code == fault_code::network_unreachable || f.code == fault_code::network_timeout ||
           f.code == fault_code::tls_failed || f.code == fault_code::insecure_transport;
}

bool knows_no_key(const base::fault& f)
{
    return f.code == fault_code::token_refused || f.code == fault_code::device_revoked ||
           f.code == fault_code::server_refused;
}

// Why the server's config of now is not what a run would use; absent where it is.
std::optional<base::fault> trouble_of(const base::result<effective_config>& effective)
{
    return effective ? effective->fetch_fault : std::optional{effective.error()};
}

std::string octal(unsigned mode)
{
    std::array<char, 16> text{};
    const int n = std::snprintf(text.data(), text.size(), "0%03o", mode & 0777U);
    return {text.data(), static_cast<std::size_t>(n)};
}

} // namespace

std::string_view name(finding_state s)
{
    switch (s) {
    case good:
        return "good";
    case warning:
        return "warning";
    case problem:
        return "problem";
    case not_checked:
        break;
    }
    return "not-checked";
}

namespace findings {

finding not_checked(std::string check, const std::string& why)
{
    return {std::move(check), finding_state::not_checked, "not checked: " + why, ""};
}

finding engine(const base::result<std::string>& version, std::string_view engine_name)
{
    const std::string check{engine_name};
    if (!version) return of_fault(check, problem, version.error());
    return {check, good, check + " " + *version + " is there", ""};
}

finding config_file(const base::result<local_config>& local, const home& h)
{
    if (!local) return of_fault("config-file", problem, local.error());
    return {"config-file", good, h.config.string() + " can be read and used", ""};
}

finding enabled(const effective_config& effective)
{
    if (const auto ok = check_enabled(effective); !ok) return of_fault("enabled", problem, ok.error());
    return {"enabled", good, "backups are switched on", ""};
}

finding permissions(const std::vector<file_rights>& files)
{
    constexpr unsigned of_others = 077;
    std::string open;
    std::string foreign;
    for (const auto& f : files) {
        if ((f.mode & of_others) != 0)
            open += (open.empty() ? "" : ", ") + f.path.string() + " (" + octal(f.mode) + ")";
        if (!f.ours) foreign += (foreign.empty() ? "" : ", ") + f.path.string();
    }
    if (!open.empty())
        return {"permissions", problem, "other users may read or change what holds secrets: " + open,
                "Take their rights away with `chmod go-rwx`"};
    if (!foreign.empty())
        return {"permissions", warning, "these files belong to another user than the one who runs this: " + foreign,
                "Run the agent always as the same user, or give them to it with `chown`"};
    return {"permissions", good, "only this user may read the agent's files", ""};
}

finding control_plane(const local_config& local, const base::result<effective_config>& effective)
{
    const auto trouble = trouble_of(effective);
    const auto& url = *local.server_url;
    const bool answered =
        !trouble || (!is_transport(*trouble) && trouble->code != fault_code::config_missing &&
                     trouble->code != fault_code::server_failed && trouble->code != fault_code::protocol_error);
    if (answered) return {"control-plane", good, url + " answers", ""};
    // With a cached config the backups go on for now.
    return {"control-plane", effective ? warning : problem,
            url + " is of no use: " + trouble->message +
                (effective ? "; runs use the config of " + base::to_rfc3339(effective->fetched_at) : ""),
            trouble->remedy.empty() ? "Look whether the server runs and can be reached from here" : trouble->remedy};
}

finding device_key(const base::result<effective_config>& effective)
{
    const auto trouble = trouble_of(effective);
    if (!trouble || trouble->code == fault_code::config_refused)
        return {"device-key", good, "the control plane knows this device", ""};
    if (knows_no_key(*trouble)) return of_fault("device-key", problem, *trouble);
    return not_checked("device-key", "the control plane gave no answer");
}

finding config(const base::result<effective_config>& effective, base::time_point now)
{
    if (!effective) return of_fault("config", problem, effective.error());
    const auto& e = *effective;
    if (e.origin == config_origin::local) return {"config", good, "the config is this machine's own", ""};
    const auto version = "version " + (e.config.version.empty() ? "unknown" : e.config.version);
    if (e.origin == config_origin::server) return {"config", good, "the config is the server's of now, " + version, ""};
    const auto message = "the config is the one of " + base::to_rfc3339(e.fetched_at) + ", " + ago(e.fetched_at, now) +
                         " (" + version + ")";
    if (e.fetch_fault && e.fetch_fault->code == fault_code::config_refused)
        return {"config", problem, message + ": " + e.fetch_fault->message, e.fetch_fault->remedy};
    if (now - e.fetched_at > config_grows_old)
        return {"config", warning, message + "; what the server has changed since is not known here",
                "See that the control plane can be reached again"};
    return {"config", good, message, ""};
}

finding clock(const std::optional<std::chrono::seconds>& skew)
{
    if (!skew) return not_checked("clock", "no server told its time");
    if (!is_clock_wrong(skew)) return {"clock", good, "this machine's clock agrees with the server's", ""};
    return {"clock", problem, describe_skew(*skew), "Set the clock, for example with `timedatectl set-ntp true`"};
}

finding repository(const std::string& address, const base::result<repository_look>& look,
                   const base::result<std::optional<repository_pin>>& pin, bool managed)
{
    const auto shown = without_credential(address);
    if (!look) return of_fault("repository", problem, look.error());
    if (!pin) return of_fault("repository", problem, pin.error());
    if (look->present) return {"repository", good, "the repository " + shown + " is there", ""};
    if (*pin)
        return {"repository", problem,
                "the repository " + shown + " is empty, but this machine backed up to it since " +
                    base::to_rfc3339((*pin)->pinned_at),
                "Find out what happened to it before anything is written: its storage may be missing or another one"};
    if (managed)
        return {"repository", good, "there is no repository at " + shown + " yet; the first backup makes it", ""};
    return {"repository", problem, "there is no repository at " + shown,
            "Run `xentz-agent backup --auto-init` to make it"};
}

finding other_repository(const std::string& address, const repository_pin& known, const std::string& id)
{
    return {"repository-identity", problem,
            "the repository at " + without_credential(address) + " is another one (" + id.substr(0, 8) +
                ") than the one that this machine backed up to (" + known.id.substr(0, 8) + ")",
            "Find out what happened to it; if it was meant, run `xentz-agent backup --accept-repository`"};
}

finding password(const base::result<std::optional<engine::snapshot>>& newest)
{
    if (!newest) return of_fault("password", problem, newest.error());
    return {"password", good,
            *newest ? "the repository opens with the password; its newest snapshot of this machine is " +
                          (*newest)->short_id + " of " + (*newest)->time.substr(0, 19)
                    : "the repository opens with the password; it holds no snapshot of this machine yet",
            ""};
}

finding free_space(std::string check, const std::filesystem::path& folder, const base::result<std::uint64_t>& free)
{
    if (!free) return of_fault(std::move(check), problem, free.error());
    const auto message = base::to_size(*free) + " are free for " + folder.string();
    if (*free < least_free_bytes)
        return {std::move(check), problem, "only " + message, "Free some space on the disk that holds it"};
    if (*free < scarce_free_bytes)
        return {std::move(check), warning, "only " + message, "Free some space on the disk that holds it"};
    return {std::move(check), good, message, ""};
}

finding cache(std::uint64_t bytes, const base::result<std::uint64_t>& free)
{
    if (free && bytes > scarce_free_bytes && bytes > *free)
        return {"cache", warning,
                "restic's cache takes " + base::to_size(bytes) + ", more than the " + base::to_size(*free) +
                    " that are free beside it",
                "Delete the folder cache/ in the agent's home; restic makes what it needs anew"};
    return {"cache", good, "restic's cache takes " + base::to_size(bytes), ""};
}

finding logs(std::uint64_t bytes)
{
    if (bytes > most_log_bytes)
        return {"logs", warning,
                "the agent's logs take " + base::to_size(bytes) + ", more than they may grow to by themselves",
                "Delete what somebody else put into the folder logs/ in the agent's home"};
    return {"logs", good, "the agent's logs take " + base::to_size(bytes) + " and are rotated", ""};
}

finding included(const std::string& path, os::readability r, const std::vector<std::string>& excluded)
{
    if (r == os::readability::missing)
        return {"include", problem, path + " does not exist", "Make it, or take it out of include"};
    if (r == os::readability::denied)
        return {"include", problem, path + " cannot be read by this user",
                "Give the agent the right to read it, or run it as root"};
    if (!excluded.empty())
        return {"include", problem, excluded.front(), "Take it out of include, or the pattern out of exclude"};
    return {"include", good, path + " can be read", ""};
}

finding nothing_included()
{
    return {"include", problem, "no folder is named to be backed up",
            "Name one with `xentz-agent config add include FOLDER`, or in the server's policy"};
}

finding exclude_file(const std::string& path, os::readability r)
{
    if (r == os::readability::readable) return {"exclude-file", good, path + " can be read", ""};
    return {"exclude-file", problem,
            path + (r == os::readability::missing ? " does not exist" : " cannot be read by this user") +
                ", and the config takes excludes from it",
            "Make it readable, or take it out of restic.exclude_files of the policy"};
}

finding commands(const std::vector<std::string>& named, const std::vector<base::fault>& troubles)
{
    if (troubles.empty())
        return {"commands", finding_state::good, base::counted(named.size(), "command") + " to be run around the jobs",
                ""};
    std::string all;
    for (const auto& f : troubles) all += (all.empty() ? "" : "; ") + f.message;
    return {"commands", finding_state::problem, all, troubles.front().remedy};
}

finding reports(std::size_t pending, std::size_t rejected)
{
    if (rejected > 0)
        return {"reports", warning,
                base::counted(rejected, "report") + (rejected == 1 ? " was" : " were") +
                    " refused by the server for good and set aside",
                "Read the reason in the agent's log; the reports lie in spool/rejected/ of its home"};
    if (pending > 0)
        return {"reports", warning,
                base::counted(pending, "report") + (pending == 1 ? " waits" : " wait") + " to be sent",
                "Nothing needs to be done once the control plane can be reached: the next run sends them"};
    return {"reports", good, "every report was delivered", ""};
}

finding run(const std::optional<base::fault>& holder, const std::optional<running_marker>& marker)
{
    if (holder && holder->code == fault_code::run_locked)
        return {"run", good, "a run is under way: " + holder->message, ""};
    if (holder) return of_fault("run", problem, *holder);
    if (marker)
        return {"run", warning,
                "the " + std::string{domain::name(marker->job)} + " of " + base::to_rfc3339(marker->started_at) +
                    " was killed before it ended",
                "Nothing needs to be done: the next run reports it and goes on where it was"};
    return {"run", good, "no run is under way and none was cut short", ""};
}

finding last_result(domain::job job, const std::optional<job_state>& last, base::time_point now)
{
    const auto check = "last-" + std::string{domain::name(job)};
    const std::string job_name{domain::name(job)};
    if (!last)
        return {check, job == domain::job::backup ? warning : good, "there was no " + job_name + " yet",
                job == domain::job::backup ? "Run `xentz-agent backup`" : ""};
    const auto when =
        last->finished_at > now ? "at " + base::to_rfc3339(last->finished_at) : ago(last->finished_at, now);
    if (last->status == domain::run_status::success)
        return {check, good, "the last " + job_name + " was good, " + when, ""};
    return {check, warning,
            "the last " + job_name + (last->status == domain::run_status::partial ? " was incomplete, " : " failed, ") +
                when + (last->fault ? ": " + last->fault->message : ""),
            last->fault && !last->fault->remedy.empty() ? last->fault->remedy : "See `xentz-agent status`"};
}

} // namespace findings
} // namespace xentz::agent
