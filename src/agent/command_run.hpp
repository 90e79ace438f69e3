// One run of a command of this machine: with a time limit, a clean environment, nothing to read, and what it prints in
// the log. Every process that it leaves in its group is ended with it.
//
// Threads: blocks; may be used from any thread, as the environment's log and process runner may.
#pragma once

#include "agent/environment.hpp"
#include "domain/commands.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::agent {

struct command_settings {
    std::map<std::string, std::string> variables;               // besides those that every command gets
    std::optional<int> output;                                  // where its standard output goes; absent: into the log
    std::chrono::milliseconds longest = std::chrono::hours{24}; // in addition to its own limit
    std::function<void(int exit_code)> on_exit = nullptr;       // as os::process_limits says
};

// How a command ended that could be started.
struct command_end {
    std::string trouble;             // "it ended with exit code 3"; empty where it ended with 0
    bool stopped = false;            // by `stop`
    std::vector<std::string> output; // the last lines, shortened, without secrets
    std::chrono::milliseconds duration{0};
    bool good() const { return trouble.empty(); }
};

constexpr std::size_t most_output_lines = 20;

// file_failed where it could not be started.
base::result<command_end> run_command(environment& env, const domain::command& c, const command_settings& settings,
                                      std::stop_token stop);

} // namespace xentz::agent
