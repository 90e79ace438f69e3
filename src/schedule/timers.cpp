#include "schedule/timers.hpp"

#include "base/utf8.hpp"

#include <array>

namespace xentz::schedule {
namespace {

using base::fail;
using base::fault_code;
using base::result;
using std::chrono::seconds;

constexpr int day_seconds = 24 * 60 * 60;

task task_of(domain::job j)
{
    switch (j) {
    case domain::job::retention:
        return task::retention;
    case domain::job::check:
        return task::check;
    default:
        return task::backup;
    }
}

std::bitset<7> next_day(const std::bitset<7>& days) { return (days << 1U) | (days >> 6U); }

timer timer_of(const job_times& j, seconds jitter)
{
    timer t{.task = task_of(j.job)};
    for (std::size_t hour = 0; hour < 24; ++hour) {
        if (!j.when.hours[hour]) continue;
        auto at = static_cast<int>(hour) * 3600 + j.when.minute * 60 + static_cast<int>(jitter.count());
        start s{.weekdays = j.when.weekdays, .months = j.when.months, .days = j.when.days};
        if (at >= day_seconds) {
            at -= day_seconds;
            s.weekdays = next_day(s.weekdays);
            // The day after a date cannot be said in general: every day, then, and the plan knows which.
            if (!s.any_date()) {
                s.weekdays.set();
                s.months.set();
                s.days.set();
            }
        }
        s.hour = at / 3600;
        s.minute = at / 60 % 60;
        s.second = at % 60;
        t.starts.push_back(s);
    }
    return t;
}

timer hourly(seconds tick)
{
    const auto at = static_cast<int>(tick.count());
    start s{.minute = at / 60, .second = at % 60};
    s.weekdays.set();
    s.months.set();
    s.days.set();
    return {.task = task::run_due, .starts = {s}};
}

result<> check_text(std::string_view what, std::string_view text)
{
    for (const auto c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            return fail(fault_code::invalid_value,
                        std::string{what} + " holds a line break or another control character: no scheduler takes that",
                        "Give it another name");
    if (!base::is_utf8(text))
        return fail(fault_code::invalid_value, std::string{what} + " is not UTF-8: not every scheduler takes that",
                    "Give it another name");
    return {};
}

} // namespace

std::string_view name(task t)
{
    constexpr auto names = std::to_array<std::string_view>({"backup", "retention", "check", "run-due"});
    return names.at(static_cast<std::size_t>(t));
}

result<timer_set> timers_of(const spec& s, invocation command, std::string instance)
{
    if (auto ok = check_text("the path of xentz-agent", command.program.string()); !ok) return base::failed(ok);
    if (command.config)
        if (auto ok = check_text("the path of the config file", command.config->string()); !ok) return base::failed(ok);
    for (const auto& [key, value] : command.environment)
        if (auto ok = check_text("the value of " + key, value); !ok) return base::failed(ok);
    timer_set out;
    for (const auto& j : s.jobs) out.timers.push_back(timer_of(j, s.jitter));
    out.timers.push_back(hourly(s.tick));
    out.command = std::move(command);
    out.catch_up = s.catch_up;
    out.instance = std::move(instance);
    return out;
}

std::vector<std::string> arguments_of(const invocation& command, task t)
{
    std::vector<std::string> out{std::string{name(t)}};
    if (t != task::run_due) out.emplace_back("--scheduled");
    if (command.config) {
        out.emplace_back("--config");
        out.push_back(command.config->string());
    }
    return out;
}

std::string instance_of(const std::filesystem::path& home, const std::filesystem::path& default_home)
{
    if (home == default_home) return {};
    constexpr std::string_view digits = "0123456789abcdef";
    auto value =
        static_cast<std::uint64_t>(place_in(seconds{0xFFFFFFFFLL}, {.device_id = home.string()}, "home").count());
    std::string text;
    for (int i = 0; i < 8; ++i, value >>= 4U) text.insert(text.begin(), digits[value & 0xFU]);
    return text;
}

} // namespace xentz::schedule
