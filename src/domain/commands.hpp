// Commands of a machine that run around a job (hooks), or whose output is a backup of its own (dumps). What a name
// stands for is said on the machine (docs/hooks.md); a policy knows names.
//
// Threads: pure functions.
#pragma once

#include "base/fault.hpp"

#include <boost/describe/class.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xentz::domain {

// What a name stands for. No shell reads the arguments.
struct command {
    static constexpr bool missing_keys_keep_defaults = true;
    std::string name;                                              // as domain::is_name
    std::vector<std::string> run;                                  // the program's absolute path, and its arguments
    std::uint32_t time_limit_seconds = 600;                        // 1 to 86400; then it is ended
    std::optional<std::map<std::string, std::string>> environment; // in addition to what every command gets
    std::optional<std::string> file_name;                          // of a dump in its snapshot; absent: its name
    bool operator==(const command&) const = default;
};
BOOST_DESCRIBE_STRUCT(command, (), (name, run, time_limit_seconds, environment, file_name))

struct hook {
    static constexpr bool missing_keys_keep_defaults = true;
    std::string command;             // its name
    std::string job = "backup";      // backup, retention, check, restore
    std::string when = "before";     // before, after (whatever came of the job), after-success, after-failure
    std::string on_failure = "stop"; // stop, continue: whether a command that fails before a job keeps it from running
    bool operator==(const hook&) const = default;
};
BOOST_DESCRIBE_STRUCT(hook, (), (command, job, when, on_failure))

constexpr std::size_t most_commands = 50;
constexpr std::size_t most_hooks = 50;
constexpr std::size_t most_dumps = 50;

// The first rule that is broken, with the name of the field, which begins with `field`.
base::result<> validate(const command& c, const std::string& field);
base::result<> validate_commands(const std::vector<command>& all); // each valid, and no name twice
base::result<> validate_hooks(const std::vector<hook>& all);
base::result<> validate_dumps(const std::vector<std::string>& names); // no name twice

// What came of one of them.
struct command_result {
    std::string name;
    std::string when;                       // before, after, dump
    std::string status;                     // success, failure
    std::optional<std::string> message;     // why it failed
    std::int64_t duration_ms = 0;           // 0 where it did not run
    std::optional<std::string> snapshot_id; // of a dump
    std::optional<std::uint64_t> bytes;     // of a dump
    // The last lines that it printed; of a dump on its standard error.
    std::optional<std::vector<std::string>> output;
    bool operator==(const command_result&) const = default;
};
BOOST_DESCRIBE_STRUCT(command_result, (), (name, when, status, message, duration_ms, snapshot_id, bytes, output))

} // namespace xentz::domain
