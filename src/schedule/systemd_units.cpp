#include "schedule/systemd_units.hpp"

#include <array>

namespace xentz::schedule {
namespace {

constexpr auto heading = "# Made by xentz-agent, which writes it anew when the schedule changes.\n";

std::string two_digits(int n) { return (n < 10 ? "0" : "") + std::to_string(n); }

template <std::size_t size>
std::string listed(const std::bitset<size>& set, const std::array<std::string_view, size>* names)
{
    if (set.all()) return "*";
    std::string out;
    for (std::size_t i = 0; i < size; ++i) {
        if (!set[i]) continue;
        out += (out.empty() ? "" : ",") +
               (names != nullptr ? std::string{names->at(i)} : two_digits(static_cast<int>(i) + 1));
    }
    return out;
}

std::string description(task t, const timer_set& set)
{
    const auto which = set.instance.empty() ? std::string{} : " (" + set.instance + ")";
    switch (t) {
    case task::backup:
        return "Backup of this machine by xentz-agent" + which;
    case task::retention:
        return "Thinning out of this machine's snapshots by xentz-agent" + which;
    case task::check:
        return "Check of this machine's backup repository by xentz-agent" + which;
    case task::run_due:
        break;
    }
    return "Hourly look of xentz-agent at what is due" + which;
}

// What a scheduled run does not need. Nothing here hides a file from it: a backup reads everything its user may read.
// A user's own manager can only set what needs no privilege.
std::string hardening(const timer_set& t, unit_scope scope)
{
    std::string out = "NoNewPrivileges=yes\n"
                      "LockPersonality=yes\n"
                      "RestrictRealtime=yes\n"
                      "RestrictSUIDSGID=yes\n"
                      "RestrictNamespaces=yes\n"
                      "SystemCallArchitectures=native\n"
                      "UMask=0077\n";
    if (scope == unit_scope::user) return out;
    out +=
        "ProtectSystem=full\n"
        "ProtectKernelTunables=yes\n"
        "ProtectKernelLogs=yes\n"
        "ProtectControlGroups=yes\n"
        "ProtectClock=yes\n"
        "ProtectHostname=yes\n"
        // The last three are for the commands around a job: to become the database's user, to tell a service to reload.
        "CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_FOWNER CAP_CHOWN "
        "CAP_SETUID CAP_SETGID CAP_KILL\n"
        // /etc is read-only with ProtectSystem=full; the units themselves are rewritten by the runs.
        "ReadWritePaths=-/etc/systemd/system";
    for (const auto& path : t.writes) out += " " + systemd_word("-" + path.string());
    return out + "\n";
}

// The colon: no substitution of variables. systemd takes no quote and no backslash in the name of a program, however
// they are written; sh does.
std::string command_line(task what, const timer_set& t)
{
    const auto program = t.command.program.string();
    const bool odd = program.find_first_of("\"'\\") != std::string::npos;
    auto out = odd ? R"(:/bin/sh -c "exec \"$0\" \"$@\"" )" + systemd_word(program) : systemd_word(":" + program);
    for (const auto& word : arguments_of(t.command, what)) out += " " + systemd_word(word);
    return out;
}

std::string service(task what, const timer_set& t, unit_scope scope)
{
    std::string out = heading;
    out += "[Unit]\nDescription=" + description(what, t) + "\n";
    if (scope == unit_scope::system) out += "Wants=network-online.target\nAfter=network-online.target\n";
    out += "\n[Service]\nType=oneshot\n";
    for (const auto& [key, value] : t.command.environment)
        out += "Environment=" + systemd_word(key + "=" + value) + "\n";
    out += "ExecStart=" + command_line(what, t);
    out += "\n"
           // A backup may take as long as it takes. On a stop the agent interrupts restic and gives it two minutes.
           "TimeoutStartSec=infinity\n"
           "KillSignal=SIGINT\n"
           "KillMode=mixed\n"
           "TimeoutStopSec=180\n"
           "Nice=10\n"
           "CPUWeight=20\n"
           "IOWeight=20\n"
           "IOSchedulingClass=best-effort\n"
           "IOSchedulingPriority=7\n";
    return out + hardening(t, scope);
}

std::string timer_text(const timer& timer, const timer_set& t)
{
    std::string out = heading;
    out += "[Unit]\nDescription=" + description(timer.task, t) + "\n\n[Timer]\n";
    for (const auto& s : timer.starts) out += "OnCalendar=" + systemd_calendar(s) + "\n";
    // The place in the window is in the expression; systemd is to keep to it.
    out += "AccuracySec=1s\n";
    if (t.catch_up || timer.task == task::run_due) out += "Persistent=true\n";
    return out + "\n[Install]\nWantedBy=timers.target\n";
}

} // namespace

std::string unit_name(task t, const std::string& instance, std::string_view suffix)
{
    return "xentz-agent-" + std::string{name(t)} + (instance.empty() ? "" : "-" + instance) + std::string{suffix};
}

std::string systemd_word(std::string_view text)
{
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:=+,@";
    if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string{text};
    std::string out = "\"";
    for (const auto c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '%') out += '%';
        out += c;
    }
    return out + '"';
}

std::string systemd_calendar(const start& s)
{
    static constexpr std::array<std::string_view, 7> names{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const auto days = s.any_weekday() ? std::string{} : listed(s.weekdays, &names) + " ";
    return days + "*-" + listed<12>(s.months, nullptr) + "-" + listed<31>(s.days, nullptr) + " " +
           (s.hour ? two_digits(*s.hour) : "*") + ":" + two_digits(s.minute) + ":" + two_digits(s.second);
}

std::vector<unit_file> systemd_units(const timer_set& t, unit_scope scope)
{
    std::vector<unit_file> out;
    for (const auto& timer : t.timers) {
        out.push_back({unit_name(timer.task, t.instance, ".service"), service(timer.task, t, scope)});
        out.push_back({unit_name(timer.task, t.instance, ".timer"), timer_text(timer, t)});
    }
    return out;
}

} // namespace xentz::schedule
