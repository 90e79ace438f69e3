#include "schedule/crontab.hpp"

#include <utility>
#include <vector>

namespace xentz::schedule {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::size_t longest_command = 990; // cron's own limit is 1000, with the end of the text

std::string first_mark(const std::string& instance)
{
    return "# >>> xentz-agent" + (instance.empty() ? "" : " " + instance) +
           " >>> written by xentz-agent; changes between these marks are lost";
}

std::string last_mark(const std::string& instance)
{
    return "# <<< xentz-agent" + (instance.empty() ? "" : " " + instance) + " <<<";
}

template <std::size_t size>
std::string listed(const std::bitset<size>& set, std::size_t first)
{
    if (set.all()) return "*";
    std::string out;
    for (std::size_t i = 0; i < size; ++i)
        if (set[i]) out += (out.empty() ? "" : ",") + std::to_string(i + first);
    return out;
}

// Where both the day of the month and the weekday are restricted, cron starts on each of them: more often than is due.
std::string when(const start& s)
{
    return std::to_string(s.minute) + " " + (s.hour ? std::to_string(*s.hour) : "*") + " " + listed(s.days, 1) + " " +
           listed(s.months, 1) + " " + listed(s.weekdays, 1);
}

// What a run prints is in the agent's own log; only what is wrong goes the way of cron, by mail.
std::string command(const timer_set& t, task what)
{
    std::string out = "nice -n 10";
    if (!t.command.environment.empty()) out += " env";
    for (const auto& [key, value] : t.command.environment) out += " " + cron_word(key + "=" + value);
    out += " " + cron_word(t.command.program.string());
    for (const auto& word : arguments_of(t.command, what)) out += " " + cron_word(word);
    return out + " >/dev/null";
}

// [from, to) of the block, with its last line break.
using span = std::pair<std::size_t, std::size_t>;

// The place of a whole line at or after `from`.
std::size_t find_line(const std::string& text, const std::string& line, std::size_t from)
{
    for (auto at = text.find(line, from); at != std::string::npos; at = text.find(line, at + 1)) {
        const auto end = at + line.size();
        if ((at == 0 || text[at - 1] == '\n') && (end == text.size() || text[end] == '\n')) return at;
    }
    return std::string::npos;
}

result<std::vector<span>> blocks(const std::string& crontab, const std::string& instance)
{
    std::vector<span> out;
    const auto first = first_mark(instance);
    const auto last = last_mark(instance);
    const auto broken = [&] {
        return fail(fault_code::conflict, "the marks of xentz-agent's block in the crontab do not match",
                    "Remove what is left of the block with `crontab -e`, then try again");
    };
    std::size_t from = 0;
    while (true) {
        const auto begin = find_line(crontab, first, from);
        const auto end = find_line(crontab, last, from);
        if (begin == std::string::npos && end == std::string::npos) return out;
        if (begin == std::string::npos || end == std::string::npos || end < begin) return broken();
        if (const auto again = find_line(crontab, first, begin + 1); again < end) return broken();
        from = std::min(end + last.size() + 1, crontab.size());
        out.emplace_back(begin, from);
    }
}

} // namespace

std::string cron_word(std::string_view text)
{
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:=+,@";
    if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string{text};
    std::string out = "'";
    for (const auto c : text) {
        if (c == '\'')
            out += "'\"'\"'";
        else if (c == '%' || c == '\\')
            out += std::string{"\\"} + c; // cron takes the backslash away; a bare '%' would end the command
        else
            out += c;
    }
    return out + "'";
}

result<std::string> crontab_block(const timer_set& t)
{
    auto out = first_mark(t.instance) + "\n";
    for (const auto& timer : t.timers) {
        const auto line = command(t, timer.task);
        if (line.size() > longest_command)
            return fail(fault_code::invalid_value,
                        "the command of the crontab would be longer than cron takes: " + std::to_string(line.size()) +
                            " bytes",
                        "Give the agent a shorter path, or use --scheduler systemd");
        for (const auto& s : timer.starts) out += when(s) + " " + line + "\n";
        if (timer.task == task::run_due) out += "@reboot " + line + "\n";
    }
    return out + last_mark(t.instance) + "\n";
}

result<std::optional<std::string>> find_block(const std::string& crontab, const std::string& instance)
{
    const auto found = blocks(crontab, instance);
    if (!found) return std::unexpected(found.error());
    if (found->empty()) return std::nullopt;
    const auto [from, to] = found->front();
    return crontab.substr(from, to - from);
}

result<std::string> with_block(const std::string& crontab, const std::string& instance, const std::string& block)
{
    const auto found = blocks(crontab, instance);
    if (!found) return std::unexpected(found.error());
    std::string out;
    std::size_t at = 0;
    for (const auto& [from, to] : *found) {
        out += crontab.substr(at, from - at);
        if (at == 0) out += block;
        at = to;
    }
    out += crontab.substr(at);
    if (!found->empty()) return out;
    if (!block.empty() && !out.empty() && !out.ends_with('\n')) out += '\n';
    return out + block;
}

} // namespace xentz::schedule
