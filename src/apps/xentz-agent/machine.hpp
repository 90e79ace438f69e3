// The real machine behind agent::environment: files, clock, log, restic. Built once, in the order of its members.
#pragma once

#include "agent/environment.hpp"
#include "agent/timetable.hpp"
#include "base/log.hpp"
#include "os/circumstances.hpp"
#include "os/process.hpp"
#include "os/sleep_inhibitor.hpp"

#include <memory>
#include <string>

namespace xentz::apps {

class machine {
public:
    // `config_file` is empty for the one in the agent's home. usage where the home cannot be determined.
    static base::result<std::unique_ptr<machine>> make(const std::string& config_file, bool verbose);

    agent::environment& environment() { return *environment_; }

private:
    machine() = default;

    std::shared_ptr<base::redactor> secrets_ = std::make_shared<base::redactor>();
    std::unique_ptr<os::files> files_;
    std::unique_ptr<base::clock> clock_;
    std::unique_ptr<base::random_source> random_;
    std::unique_ptr<base::logger> log_;
    std::unique_ptr<os::process_runner> processes_;
    std::unique_ptr<os::process_table> process_table_;
    std::unique_ptr<os::circumstances> circumstances_;
    std::unique_ptr<os::sleep_inhibitor> sleep_;
    std::unique_ptr<engine::backup_engine> engine_;
    std::unique_ptr<os::time_zone> zone_;
    std::unique_ptr<agent::scheduling> timers_;
    std::unique_ptr<agent::environment> environment_;
};

} // namespace xentz::apps
