// Child processes. A child runs in a process group of its own (but for `group`), with no inherited environment and no
// inherited descriptors but those that are named; its output arrives line by line while it runs.
//
// Threads: `run` blocks; one object may run several children from several threads. Callbacks are called on the
// thread of `run`.
#pragma once

#include "base/fault.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::os {

enum class priority { normal, low, idle };

struct command {
    std::filesystem::path program;                  // absolute
    std::vector<std::string> args;                  // without the program's name
    std::map<std::string, std::string> environment; // complete
    std::filesystem::path directory{"/"};
    std::vector<int> inherited; // descriptors that the child keeps open, under numbers of its own
    std::optional<int> input;   // what it reads, a descriptor; absent: nothing
    std::optional<int> output;  // where it writes, a descriptor; absent: into the sink of `run`
    std::optional<int> group;   // an existing process group that it joins; absent: one of its own
    priority cpu = priority::normal;
    priority disk = priority::normal;
};

// Limits and observers of one run.
struct process_limits {
    std::chrono::milliseconds longest = std::chrono::hours{24 * 7};
    // Between the interrupt (SIGINT, which restic answers by tidying up) and SIGKILL.
    std::chrono::milliseconds grace = std::chrono::minutes{2};
    std::size_t longest_line = std::size_t{8} << 20U;      // bytes; the rest of a longer line is dropped
    std::function<void(std::int64_t process_id)> on_start; // once the child runs; may be empty
    // Once the child has exited by itself, and before what it left in its group is ended: who reads what those still
    // write may wait for it here. Not where the child was interrupted or killed. May be empty.
    std::function<void(int exit_code)> on_exit;
};

struct process_end {
    enum class how { exited, killed, timed_out, cancelled };
    how kind = how::exited;
    int exit_code = -1; // where the child exited by itself, also after an interrupt
    int signal = 0;     // where a signal ended it
};

// A line without its end ('\n', and a '\r' before it).
using line_sink = std::function<void(std::string_view)>;

class process_runner {
public:
    virtual ~process_runner() = default;
    // Ends when the child is gone, and with it everything in its group. A stop request interrupts the child's
    // group. Faults (file_failed) only where the child could not be started at all.
    virtual base::result<process_end> run(const command& c, const process_limits& limits, std::stop_token stop,
                                          const line_sink& out, const line_sink& err) = 0;
};

std::unique_ptr<process_runner> make_process_runner();

// The first executable file of that name on `search_path` (colon-separated).
base::result<std::filesystem::path> find_program(std::string_view name, std::string_view search_path);

} // namespace xentz::os
