#include "restic/error_lines.hpp"

#include "restic/text.hpp"

#include <algorithm>
#include <array>

namespace xentz::restic {
namespace {

// "github.com/restic/restic/internal/backend.(*RetryBackend).Remove", and below it a tab, the file and the line.
bool is_stack_frame(std::string_view line)
{
    if (line.starts_with('\t') || line.starts_with("goroutine ") || line.starts_with("created by ")) return true;
    if (line.find_first_of(" :") != std::string_view::npos) return false;
    return line.starts_with("main.") || line.starts_with("runtime.") || line.starts_with("github.com/") ||
           line.starts_with("golang.org/");
}

// "panic: ...", "fatal error: ...", "SIGABRT: abort"
bool is_crash(std::string_view line)
{
    constexpr auto marks = std::to_array<std::string_view>(
        {"panic: ", "fatal error: ", "SIGABRT: ", "SIGSEGV: ", "SIGBUS: ", "SIGILL: ", "SIGFPE: "});
    return std::ranges::any_of(marks, [&](auto mark) { return line.starts_with(mark); });
}

// Without its last line where that was cut: half a secret would not be recognised.
std::string whole_lines(std::string_view text)
{
    if (text.size() >= json_fields::longest_text) text = text.substr(0, text.rfind('\n'));
    return std::string{text};
}

} // namespace

void error_lines::add(std::string_view line)
{
    if (fields_.read(line)) {
        add_text(message());
    } else {
        add_text(line);
    }
}

// The text of a JSON line; nothing where it has none.
std::string error_lines::message() const
{
    const auto type = fields_.text("message_type");
    const auto message = fields_.text("message");
    if (type == "exit_error") return whole_lines(message.value_or(""));
    if (type != "error") return {};
    if (message) return whole_lines(*message);
    std::string item{fields_.text("item").value_or("")};
    const auto error = whole_lines(fields_.text("error.message").value_or(""));
    return item.empty() || error.empty() ? item + error : item + ": " + error;
}

void error_lines::add_text(std::string_view text)
{
    while (!text.empty() && !crashed_) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (is_stack_frame(line)) continue;
        keep(fit(line, clean_));
        crashed_ = is_crash(line);
    }
}

void error_lines::keep(std::string line)
{
    if (line.find_first_not_of(' ') == std::string::npos) return;
    bytes_ += line.size();
    lines_.push_back(std::move(line));
    while (lines_.size() > most_lines || bytes_ > most_bytes) {
        bytes_ -= lines_.front().size();
        lines_.pop_front();
    }
}

} // namespace xentz::restic
