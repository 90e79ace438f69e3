#include "restic/failure.hpp"

#include "restic/failure_rules.hpp"
#include "restic/text.hpp"

#include <algorithm>
#include <csignal>
#include <ranges>

namespace xentz::restic {
namespace {

using base::fault_code;

constexpr std::size_t longest_quote = 400;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool is_noise(std::string_view line)
{
    return line.starts_with("Is there a repository at") || line.starts_with("storage ID") ||
           line.starts_with("the `unlock` command") || line.starts_with("There were ") || line.starts_with('/') ||
           line.starts_with("rest:") || contains(line, "received, cleaning up") ||
           contains(line, "at least one source file could not be read");
}

// restic says "Fatal: " at the beginning, and again where one of its errors holds another.
std::string quote(std::string_view line)
{
    constexpr std::string_view fatal = "Fatal: ";
    std::string text{line};
    for (auto at = text.find(fatal); at != std::string::npos; at = text.find(fatal, at)) text.erase(at, fatal.size());
    while (text.ends_with('.') || text.ends_with(' ')) text.pop_back();
    return shortened(text, longest_quote);
}

// Where no rule knows the cause: the last fatal error, else the last line that says anything.
std::string last_words(const std::deque<std::string>& lines)
{
    std::string words;
    for (const auto& line : std::views::reverse(lines)) {
        if (line.starts_with("Fatal: ")) return line;
        if (words.empty() && !is_noise(line)) words = line;
    }
    return words;
}

std::string after(const std::deque<std::string>& lines, std::string_view mark)
{
    for (const auto& line : std::views::reverse(lines)) {
        const auto at = line.find(mark);
        if (at != std::string::npos) return line.substr(at + mark.size());
    }
    return {};
}

// "the repository is locked by PID 32032 on vm by lab since 2026-11-23 14:20:44 (2.18s ago)".
std::string locked_by(const std::deque<std::string>& lines)
{
    std::string cause{explain(fault_code::repository_locked).cause};
    auto holder = after(lines, "repository is already locked ");
    holder.resize(std::min(holder.find(" (UID"), holder.size()));
    const auto since = after(lines, "lock was created at ");
    if (!holder.empty()) cause += " " + holder;
    if (!since.empty()) cause += " since " + since;
    return shortened(cause, longest_quote);
}

std::string signal_text(int signal)
{
    switch (signal) {
    case SIGKILL:
        return "SIGKILL";
    case SIGSEGV:
        return "SIGSEGV";
    case SIGABRT:
        return "SIGABRT";
    case SIGBUS:
        return "SIGBUS";
    default:
        return "signal " + std::to_string(signal);
    }
}

base::fault make(operation op, fault_code code, const std::string& cause, const std::string& words)
{
    auto message = std::string{name(op)} + " failed: " + cause;
    if (!words.empty()) message += " (restic: " + quote(words) + ")";
    return {code, std::move(message), std::string{explain(code).remedy}};
}

base::fault make(operation op, fault_code code, const std::string& words)
{
    return make(op, code, std::string{explain(code).cause}, words);
}

base::fault killed(operation op, int signal, const std::deque<std::string>& lines)
{
    // Those are how people and service managers ask a process to end.
    if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) return make(op, fault_code::interrupted, {});
    auto f = make(op, fault_code::restic_killed, "restic was ended by " + signal_text(signal), last_words(lines));
    if (signal == SIGKILL) {
        f.message += ", as the kernel does when memory runs out";
        f.remedy = "Look for \"out of memory\" in the kernel's log, then run it again";
    }
    return f;
}

// A run that did not end in time was mostly waiting for something, and restic says for what.
base::fault timed_out(operation op, const std::deque<std::string>& lines)
{
    auto found = find_cause(op, lines, false);
    if (!found) found = find_cause(op, lines, true);
    using enum fault_code;
    const auto waits_for = {repository_unreachable, repository_unavailable, repository_full, repository_refused};
    if (found && std::ranges::find(waits_for, found->code) != waits_for.end())
        return make(op, found->code, found->line);
    return make(op, fault_code::timed_out, last_words(lines));
}

// One that did not end when it was interrupted could not tidy up.
base::fault and_killed(base::fault f, const os::process_end& end)
{
    if (end.signal != SIGKILL) return f;
    f.message += "; restic did not end when it was interrupted and was killed";
    f.remedy += "; a lock that it left in the repository may hinder a retention until it is removed";
    return f;
}

std::optional<fault_code> by_exit_code(int code)
{
    switch (code) {
    case 10:
        return fault_code::repository_missing;
    case 11:
        return fault_code::repository_locked;
    case 12:
        return fault_code::wrong_password;
    case 130:
        return fault_code::interrupted;
    default:
        return std::nullopt;
    }
}

base::fault found_cause(operation op, fault_code code, const std::deque<std::string>& lines, const std::string& line)
{
    if (code == fault_code::repository_locked) return make(op, code, locked_by(lines), {});
    return make(op, code, line);
}

} // namespace

std::string_view name(operation op)
{
    switch (op) {
    case operation::version:
        return "asking restic for its version";
    case operation::init:
        return "creating the repository";
    case operation::backup:
        return "the backup";
    case operation::snapshots:
        return "reading the list of snapshots";
    case operation::list:
        return "listing the snapshot";
    case operation::forget:
        return "forgetting old snapshots";
    case operation::prune:
        return "pruning the repository";
    case operation::restore:
        return "the restore";
    case operation::check:
        return "the check of the repository";
    case operation::unlock:
        return "removing dead locks";
    case operation::identify:
        return "reading the repository's id";
    case operation::locks:
        return "reading the repository's locks";
    case operation::keys:
        return "changing the repository's keys";
    }
    return "restic";
}

base::fault judge(operation op, const std::optional<version>& v, const os::process_end& end,
                  const std::deque<std::string>& lines)
{
    using how = os::process_end::how;
    if (end.kind == how::cancelled) return and_killed(make(op, fault_code::interrupted, {}), end);
    if (end.kind == how::timed_out) return and_killed(timed_out(op, lines), end);
    if (end.kind == how::killed) return killed(op, end.signal, lines);
    if (const auto code = by_exit_code(end.exit_code)) return found_cause(op, *code, lines, last_words(lines));
    const bool signalled =
        std::ranges::any_of(lines, [](const auto& line) { return contains(line, "received, cleaning up"); });
    if (signalled) return make(op, fault_code::interrupted, {});
    auto found = find_cause(op, lines, false);
    if (!found) found = find_cause(op, lines, true);
    if (found) return found_cause(op, found->code, lines, found->line);
    const auto program = v ? "restic " + to_text(*v) : std::string{"restic"};
    const bool panicked =
        !lines.empty() && (lines.back().starts_with("panic: ") || lines.back().starts_with("fatal error: "));
    if (end.exit_code == 2 || panicked)
        return make(op, fault_code::restic_crashed, program + " crashed", last_words(lines));
    if (end.exit_code == 0)
        return make(op, fault_code::restic_failed, program + " did not do what was asked", last_words(lines));
    return make(op, fault_code::restic_failed, program + " ended with exit code " + std::to_string(end.exit_code),
                last_words(lines));
}

base::fault in_vain(operation op, const finding& f) { return make(op, f.code, f.line); }

} // namespace xentz::restic
