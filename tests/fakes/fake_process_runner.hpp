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
        each_line(run.err, err);
        each_line(run.out, out);
        return run.end;
    }

private:
    static void each_line(std::string_view text, const os::line_sink& sink)
    {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            auto line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            if (line.ends_with('\r')) line.remove_suffix(1);
            sink(line);
        }
    }
};

} // namespace xentz::fakes
