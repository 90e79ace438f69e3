#include "restic/error_lines.hpp"

#include "restic/json_line.hpp"
#include "restic/text.hpp"

#include <algorithm>

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

// The text of a JSON line; nothing where it has none.
std::string message_of(const boost::json::object& o)
{
    const auto type = text_of(o, "message_type").value_or("");
    if (type == "exit_error") return text_of(o, "message").value_or("");
    if (type != "error") return {};
    if (auto message = text_of(o, "message")) return *message;
    const auto item = text_of(o, "item").value_or("");
    const auto* error = object_of(o, "error");
    const auto message = error == nullptr ? std::string{} : text_of(*error, "message").value_or("");
    return item.empty() || message.empty() ? item + message : item + ": " + message;
}

} // namespace

void error_lines::add(std::string_view line)
{
    if (const auto object = parse_object(line)) {
        add_text(message_of(*object));
    } else {
        add_text(line);
    }
}

void error_lines::add_text(std::string_view text)
{
    while (!text.empty() && !crashed_) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (is_stack_frame(line)) continue;
        keep(fit(line, clean_));
        crashed_ = line.starts_with("panic: ") || line.starts_with("fatal error: ");
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
