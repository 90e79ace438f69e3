#include "schedule/host_support.hpp"

#include <algorithm>

namespace xentz::schedule {
namespace {

using base::fail;
using base::fault_code;
using base::result;

// Empty where systemd can be used, otherwise why not.
std::string why_not_systemd(const surroundings& s)
{
    if (!s.files.info("/run/systemd/system")) return "systemd does not run this machine";
    const auto answer = s.user_id == 0 ? ask_tool(s, "systemctl", {"show", "--property=Version"})
                                       : ask_tool(s, "systemctl", {"--user", "show", "--property=Version"});
    if (!answer) return answer.error().message;
    if (answer->exit_code == 0) return {};
    return (s.user_id == 0 ? "systemd" : "the systemd of user " + s.user) + " does not answer: " + answer->err;
}

std::string why_not_cron(const surroundings& s)
{
    if (!s.find_program("crontab")) return "there is no program crontab";
    const auto id = read_if_there(s.files, "/run/crond.pid");
    if (id && *id) {
        const auto number = (*id)->substr(0, (*id)->find_first_not_of("0123456789"));
        if (!number.empty() && s.files.info(std::filesystem::path{"/proc"} / number)) return {};
    }
    return "no cron daemon runs";
}

result<choice> automatic(const surroundings& s)
{
    if (s.platform == "macos") return choice{make_launchd_host(s), "launchd is this system's own"};
    if (s.platform == "windows") return choice{make_task_scheduler_host(s), "the Task Scheduler is this system's own"};
    const auto no_systemd = why_not_systemd(s);
    if (no_systemd.empty()) return choice{make_systemd_host(s), "systemd runs here"};
    const auto no_cron = why_not_cron(s);
    if (no_cron.empty()) return choice{make_cron_host(s), no_systemd + ", and cron runs here"};
    return fail(fault_code::scheduler_missing, "there is no scheduler to use: " + no_systemd + ", and " + no_cron,
                "Install cron, or use --scheduler none and call `xentz-agent run-due` every hour yourself");
}

std::unexpected<base::fault> not_here(std::string_view wish, const std::string& why)
{
    return fail(fault_code::scheduler_missing, "--scheduler " + std::string{wish} + " cannot be used here: " + why,
                "Use --scheduler auto, or another one");
}

} // namespace

std::unique_ptr<scheduler_host> make_host(std::string_view name, const surroundings& s)
{
    if (name == "systemd") return make_systemd_host(s);
    if (name == "cron") return make_cron_host(s);
    if (name == "launchd") return make_launchd_host(s);
    if (name == "task-scheduler") return make_task_scheduler_host(s);
    return nullptr;
}

result<choice> choose_host(std::string_view wish, const surroundings& s)
{
    if (wish == "auto") return automatic(s);
    if (wish == "systemd") {
        if (const auto why = why_not_systemd(s); !why.empty()) return not_here(wish, why);
        return choice{make_systemd_host(s), "it was asked for"};
    }
    if (wish == "cron") {
        if (const auto why = why_not_cron(s); !why.empty()) return not_here(wish, why);
        return choice{make_cron_host(s), "it was asked for"};
    }
    if (wish == "launchd") {
        if (s.platform != "macos") return not_here(wish, "it is part of macOS");
        return choice{make_launchd_host(s), "it was asked for"};
    }
    if (wish == "task-scheduler") {
        if (s.platform != "windows") return not_here(wish, "it is part of Windows");
        return choice{make_task_scheduler_host(s), "it was asked for"};
    }
    return fail(fault_code::usage, "there is no scheduler " + std::string{wish},
                "Use auto, systemd, cron, launchd, task-scheduler or none");
}

} // namespace xentz::schedule
