#include "schedule/task_xml.hpp"

#include "schedule/launchd_plist.hpp"

#include <array>

namespace xentz::schedule {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::array<std::string_view, 7> weekdays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> months{"January",   "February", "March",    "April",
                                                  "May",       "June",     "July",     "August",
                                                  "September", "October",  "November", "December"};

std::string two_digits(int n) { return (n < 10 ? "0" : "") + std::to_string(n); }

// A day in the past, so that the first start is the next one.
std::string boundary(const start& s)
{
    return "      <StartBoundary>2020-01-01T" + two_digits(s.hour.value_or(0)) + ":" + two_digits(s.minute) + ":" +
           two_digits(s.second) + "</StartBoundary>\n";
}

std::string days_of_week(const std::bitset<7>& set)
{
    std::string out = "<DaysOfWeek>";
    for (std::size_t i = 0; i < 7; ++i)
        if (set[i]) out += "<" + std::string{weekdays.at(i)} + "/>";
    return out + "</DaysOfWeek>";
}

std::string by_month(const start& s)
{
    std::string out = "      <ScheduleByMonth>\n        <Months>";
    for (std::size_t i = 0; i < 12; ++i)
        if (s.months[i]) out += "<" + std::string{months.at(i)} + "/>";
    out += "</Months>\n        <DaysOfMonth>";
    for (std::size_t i = 0; i < 31; ++i)
        if (s.days[i]) out += "<Day>" + std::to_string(i + 1) + "</Day>";
    return out + "</DaysOfMonth>\n      </ScheduleByMonth>\n";
}

// A trigger has either weekdays or dates; with both, the dates are left to the plan.
std::string trigger(const start& s)
{
    std::string out = "    <CalendarTrigger>\n";
    if (!s.hour)
        out += "      <Repetition>\n        <Interval>PT1H</Interval>\n        <Duration>P1D</Duration>\n"
               "      </Repetition>\n";
    out += boundary(s) + "      <Enabled>true</Enabled>\n";
    if (!s.any_weekday())
        out += "      <ScheduleByWeek>\n        <WeeksInterval>1</WeeksInterval>\n        " + days_of_week(s.weekdays) +
               "\n      </ScheduleByWeek>\n";
    else if (!s.any_date())
        out += by_month(s);
    else
        out += "      <ScheduleByDay>\n        <DaysInterval>1</DaysInterval>\n      </ScheduleByDay>\n";
    return out + "    </CalendarTrigger>\n";
}

std::string principal(const std::string& user)
{
    std::string out = "  <Principals>\n    <Principal id=\"Author\">\n";
    if (user.empty())
        out += "      <UserId>S-1-5-18</UserId>\n      <RunLevel>HighestAvailable</RunLevel>\n";
    else
        out += "      <UserId>" + xml_text(user) +
               "</UserId>\n      <LogonType>S4U</LogonType>\n      <RunLevel>LeastPrivilege</RunLevel>\n";
    return out + "    </Principal>\n  </Principals>\n";
}

std::string settings(bool catch_up)
{
    return "  <Settings>\n"
           "    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n"
           "    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n"
           "    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>\n"
           "    <AllowHardTerminate>true</AllowHardTerminate>\n"
           "    <StartWhenAvailable>" +
           std::string{catch_up ? "true" : "false"} +
           "</StartWhenAvailable>\n"
           "    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>\n"
           "    <AllowStartOnDemand>true</AllowStartOnDemand>\n"
           "    <Enabled>true</Enabled>\n"
           "    <Hidden>false</Hidden>\n"
           "    <RunOnlyIfIdle>false</RunOnlyIfIdle>\n"
           "    <WakeToRun>false</WakeToRun>\n"
           "    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>\n"
           "    <Priority>8</Priority>\n"
           "  </Settings>\n";
}

std::string definition(const timer& timer, const timer_set& t, const std::string& user)
{
    std::string arguments;
    for (const auto& word : arguments_of(t.command, timer.task))
        arguments += (arguments.empty() ? "" : " ") + windows_word(word);
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n"
                      "  <RegistrationInfo>\n    <Author>xentz-agent</Author>\n"
                      "    <Description>Made by xentz-agent, which writes it anew when the schedule changes."
                      "</Description>\n    <URI>" +
                      xml_text(task_name(timer.task, t.instance)) + "</URI>\n  </RegistrationInfo>\n  <Triggers>\n";
    for (const auto& s : timer.starts) out += trigger(s);
    if (timer.task == task::run_due && user.empty())
        out += "    <BootTrigger>\n      <Enabled>true</Enabled>\n    </BootTrigger>\n";
    out += "  </Triggers>\n" + principal(user) + settings(t.catch_up || timer.task == task::run_due);
    return out + "  <Actions Context=\"Author\">\n    <Exec>\n      <Command>" + xml_text(t.command.program.string()) +
           "</Command>\n      <Arguments>" + xml_text(arguments) + "</Arguments>\n    </Exec>\n  </Actions>\n</Task>\n";
}

} // namespace

std::string task_name(task t, const std::string& instance)
{
    return "\\xentz\\agent-" + std::string{name(t)} + (instance.empty() ? "" : "-" + instance);
}

std::string windows_word(std::string_view text)
{
    if (!text.empty() && text.find_first_of(" \t\"") == std::string_view::npos) return std::string{text};
    std::string out = "\"";
    std::size_t backslashes = 0;
    for (const auto c : text) {
        if (c == '\\') {
            ++backslashes;
            continue;
        }
        // Backslashes mean themselves, but before a quote.
        out.append(c == '"' ? backslashes * 2 + 1 : backslashes, '\\');
        backslashes = 0;
        out += c;
    }
    out.append(backslashes * 2, '\\');
    return out + '"';
}

result<std::vector<unit_file>> task_definitions(const timer_set& t, const std::string& user)
{
    if (!t.command.environment.empty())
        return fail(fault_code::invalid_value,
                    "a task of the Task Scheduler cannot carry the variable " + t.command.environment.begin()->first,
                    "Set it for the whole account, and install without it");
    std::vector<unit_file> out;
    out.reserve(t.timers.size());
    for (const auto& timer : t.timers) out.push_back({task_name(timer.task, t.instance), definition(timer, t, user)});
    return out;
}

} // namespace xentz::schedule
