// What the hosts share: calling a scheduler's tool, and files that are only written where they differ.
// Threads: one thread at a time.
#pragma once

#include "schedule/host.hpp"
#include "schedule/systemd_units.hpp"

namespace xentz::schedule {

struct tool_answer {
    int exit_code = 0;
    std::string out;
    std::string err; // one line
};

// scheduler_missing where the tool is not here, scheduler_failed where it did not end by itself within half a minute.
base::result<tool_answer> ask_tool(const surroundings& s, std::string_view tool, const std::vector<std::string>& args);

// As ask_tool; scheduler_failed with what the tool said where it ended with anything but 0. Gives what it printed.
base::result<std::string> call_tool(const surroundings& s, std::string_view tool, const std::vector<std::string>& args);

// Nothing where there is no such file.
base::result<std::optional<std::string>> read_if_there(os::files& fs, const std::filesystem::path& p);

// Whether the file had to be written.
base::result<bool> write_if_different(os::files& fs, const std::filesystem::path& p, const std::string& text);

base::result<> remove_if_there(os::files& fs, const std::filesystem::path& p);

// Compares files of a folder with what is wanted, and names the first that differs.
base::result<installed> compare_files(os::files& fs, const std::filesystem::path& folder,
                                      const std::vector<unit_file>& wanted);

constexpr task all_tasks[] = {task::backup, task::retention, task::check, task::run_due};

} // namespace xentz::schedule
