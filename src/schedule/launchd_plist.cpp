#include "schedule/launchd_plist.hpp"

namespace xentz::schedule {
namespace {

// Above this a date is left out of the starts: they come more often, and the plan knows which of them is due.
constexpr std::size_t most_intervals = 400;

std::string string_of(std::string_view text) { return "<string>" + xml_text(text) + "</string>"; }

std::string number(std::string_view key, int value)
{
    return "      <key>" + std::string{key} + "</key><integer>" + std::to_string(value) + "</integer>\n";
}

template <std::size_t size, class Each>
void each_of(const std::bitset<size>& set, Each each)
{
    if (set.all()) return each(-1);
    for (std::size_t i = 0; i < size; ++i)
        if (set[i]) each(static_cast<int>(i) + 1);
}

std::size_t choices(std::size_t chosen, std::size_t all) { return chosen == all ? 1 : chosen; }

// launchd has no lists and no seconds: one dictionary for each combination. Like cron, it starts on each of both where
// a day and a weekday are named.
void add_intervals(std::string& out, const start& s, bool with_date)
{
    std::bitset<12> months;
    std::bitset<31> days;
    months.set();
    days.set();
    if (with_date) {
        months = s.months;
        days = s.days;
    }
    each_of(months, [&](int month) {
        each_of(days, [&](int day) {
            each_of(s.weekdays, [&](int weekday) {
                out += "    <dict>\n";
                if (month > 0) out += number("Month", month);
                if (day > 0) out += number("Day", day);
                if (weekday > 0) out += number("Weekday", weekday); // 7 is Sunday, as 0 is
                if (s.hour) out += number("Hour", *s.hour);
                out += number("Minute", s.minute) + "    </dict>\n";
            });
        });
    });
}

std::string intervals(const timer& t)
{
    std::size_t count = 0;
    for (const auto& s : t.starts)
        count += choices(s.months.count(), 12) * choices(s.days.count(), 31) * choices(s.weekdays.count(), 7);
    std::string out = "  <key>StartCalendarInterval</key>\n  <array>\n";
    for (const auto& s : t.starts) add_intervals(out, s, count <= most_intervals);
    return out + "  </array>\n";
}

std::string plist(const timer& timer, const timer_set& t)
{
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                      "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                      "<!-- Made by xentz-agent, which writes it anew when the schedule changes. -->\n"
                      "<plist version=\"1.0\">\n<dict>\n";
    out += "  <key>Label</key>" + string_of(launchd_label(timer.task, t.instance)) + "\n";
    out += "  <key>ProgramArguments</key>\n  <array>\n    " + string_of(t.command.program.string()) + "\n";
    for (const auto& word : arguments_of(t.command, timer.task)) out += "    " + string_of(word) + "\n";
    out += "  </array>\n";
    if (!t.command.environment.empty()) {
        out += "  <key>EnvironmentVariables</key>\n  <dict>\n";
        for (const auto& [key, value] : t.command.environment)
            out += "    <key>" + xml_text(key) + "</key>" + string_of(value) + "\n";
        out += "  </dict>\n";
    }
    out += intervals(timer);
    // What was due while the machine was off is looked for when it is on again.
    if (timer.task == task::run_due) out += "  <key>RunAtLoad</key><true/>\n";
    out += "  <key>ProcessType</key><string>Background</string>\n"
           "  <key>LowPriorityIO</key><true/>\n"
           "  <key>Nice</key><integer>10</integer>\n"
           "  <key>ExitTimeOut</key><integer>180</integer>\n";
    if (!t.log.empty()) out += "  <key>StandardErrorPath</key>" + string_of(t.log.string()) + "\n";
    return out + "</dict>\n</plist>\n";
}

} // namespace

std::string xml_text(std::string_view text)
{
    std::string out;
    for (const auto c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

std::string launchd_label(task t, const std::string& instance)
{
    return "com.xentz.agent." + std::string{name(t)} + (instance.empty() ? "" : "." + instance);
}

std::vector<unit_file> launchd_plists(const timer_set& t)
{
    std::vector<unit_file> out;
    out.reserve(t.timers.size());
    for (const auto& timer : t.timers)
        out.push_back({launchd_label(timer.task, t.instance) + ".plist", plist(timer, t)});
    return out;
}

} // namespace xentz::schedule
