// A process runner that starts nothing: it hands out scripted runs in order and remembers what it was asked for.
//
// Threads: one thread at a time.
#pragma once

#include "os/process.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::fakes {

struct scripted_run {
    std::string out;
    std::string err;
    os::process_end end{.exit_code = 0};
    std::optional<base::fault> cannot_start = std::nullopt;
};

class fake_process_runner final : public os::process_runner {
public:
    std::deque<scripted_run> script;
    std::vector<os::command> commands;
    std::vector<os::process_limits> limits;
    bool interrupted = false;                              // a stop ended the last run that was ended by one
    std::function<void(const os::command&)> while_running; // for a look at the files that a child would read

    base::result<os::process_end> run(const os::command& c, const os::process_limits& l, std::stop_token stop,
                                      const os::line_sink& out, const os::line_sink& err) override
    {
        commands.push_back(c);
        limits.push_back(l);
        if (script.empty())
            return base::fail(base::fault_code::internal, "no run of " + c.args.front() + " is scripted");
        const auto run = script.front();
        script.pop_front();
        if (run.cannot_start) return std::unexpected(*run.cannot_start);
        if (stop.stop_requested()) return os::process_end{.kind = os::process_end::how::cancelled};
        if (while_running) while_running(c);
        // As a real child would: what was scripted behind the line that led to the stop is never said.
        if (!each_line(run.err, err, stop) || !each_line(run.out, out, stop)) return stopped();
        if (run.end.kind == os::process_end::how::exited && l.on_exit) l.on_exit(run.end.exit_code);
        return run.end;
    }

private:
    os::process_end stopped()
    {
        interrupted = true;
        return {.kind = os::process_end::how::cancelled, .exit_code = 130};
    }

    // False where a stop was requested meanwhile.
    static bool each_line(std::string_view text, const os::line_sink& sink, const std::stop_token& stop)
    {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            auto line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            if (line.ends_with('\r')) line.remove_suffix(1);
            sink(line);
            if (stop.stop_requested()) return false;
        }
        return true;
    }
};

} // namespace xentz::fakes
