#include "agent/command_run.hpp"

#include "base/time_text.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <deque>

namespace xentz::agent {
namespace {

using base::result;

constexpr std::size_t longest_line = 4096;      // bytes; the rest of a line is dropped
constexpr std::size_t longest_told_line = 200;  // in a report
constexpr std::size_t most_logged_lines = 1000; // a command that floods must not push everything else out of the log
constexpr std::chrono::seconds grace{10};       // between SIGINT and SIGKILL

// A progress bar is no text, and six times as long in JSON.
std::string without_controls(std::string text)
{
    std::ranges::replace_if(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; }, ' ');
    return text;
}

// What a command prints: all of it into the log up to a bound, the end of it for the report.
class output_tail {
public:
    output_tail(environment& env, const std::string& name) : env_(env), name_(name) {}

    void add(std::string_view line)
    {
        const auto clean = without_controls(env_.secrets->clean(base::to_utf8(line)));
        if (++count_ <= most_logged_lines) env_.log.info(name_ + ": " + clean);
        lines_.emplace_back(base::cut_utf8(clean, longest_told_line));
        if (lines_.size() > most_output_lines) lines_.pop_front();
    }

    std::vector<std::string> finish()
    {
        if (count_ > most_logged_lines)
            env_.log.info(name_ + ": " + std::to_string(count_ - most_logged_lines) + " more lines were not logged");
        return {lines_.begin(), lines_.end()};
    }

private:
    environment& env_;
    const std::string& name_;
    std::deque<std::string> lines_;
    std::size_t count_ = 0;
};

// Others are words like any: masking PGUSER=backup would take them out of every report.
bool names_a_secret(std::string_view variable)
{
    constexpr auto signs = std::to_array<std::string_view>({"PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PWD"});
    std::string upper{variable};
    std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return std::ranges::any_of(signs, [&](std::string_view sign) { return upper.contains(sign); });
}

std::string trouble_of(const os::process_end& e, std::chrono::milliseconds limit)
{
    using how = os::process_end::how;
    switch (e.kind) {
    case how::timed_out:
        return "it was ended after " + base::to_words(limit) + ", its time limit";
    case how::cancelled:
        return "it was interrupted";
    case how::killed:
        return "it was killed by signal " + std::to_string(e.signal);
    case how::exited:
        break;
    }
    return e.exit_code == 0 ? "" : "it ended with exit code " + std::to_string(e.exit_code);
}

} // namespace

result<command_end> run_command(environment& env, const domain::command& c, const command_settings& settings,
                                std::stop_token stop)
{
    os::command command{.program = c.run.front(),
                        .args = {c.run.begin() + 1, c.run.end()},
                        .environment = env.command_environment,
                        .output = settings.output};
    for (const auto& [key, value] : settings.variables) command.environment[key] = value;
    if (c.environment)
        for (const auto& [key, value] : *c.environment) {
            command.environment[key] = value;
            if (names_a_secret(key)) env.secrets->add(value);
        }
    os::process_limits limits;
    limits.longest = std::min<std::chrono::milliseconds>(std::chrono::seconds{c.time_limit_seconds}, settings.longest);
    limits.grace = grace;
    limits.longest_line = longest_line;
    limits.on_exit = settings.on_exit;
    output_tail tail{env, c.name};
    const auto add = [&](std::string_view line) { tail.add(line); };
    const auto began = env.clock.elapsed();
    const auto ended = env.programs.run(command, limits, std::move(stop), add, add);
    if (!ended) return std::unexpected(ended.error());
    command_end e;
    e.trouble = trouble_of(*ended, limits.longest);
    e.stopped = ended->kind == os::process_end::how::cancelled;
    e.output = tail.finish();
    e.duration = std::chrono::duration_cast<std::chrono::milliseconds>(env.clock.elapsed() - began);
    return e;
}

} // namespace xentz::agent
