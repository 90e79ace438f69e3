// The machine as the agent uses it; built once by the program and handed in, faked in tests.
#pragma once

#include "agent/home.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/redactor.hpp"
#include "engine/engine.hpp"
#include "http/client.hpp"
#include "os/circumstances.hpp"
#include "os/files.hpp"
#include "os/process.hpp"
#include "os/sleep_inhibitor.hpp"
#include "os/system.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace xentz::agent {

struct scheduling;

struct environment {
    agent::home home;
    os::files& files;
    const base::clock& clock;
    base::random_source& random;
    base::logger& log;
    std::shared_ptr<base::redactor> secrets;
    engine::backup_engine& engine;
    // The options depend on the config, so a client is made for each run.
    std::function<std::unique_ptr<http::client>(const http::client_options&)> make_client;
    std::string agent_version;
    std::string host_name;
    std::string machine_id; // empty where the machine has none
    std::int64_t process_id = 0;
    const os::process_table& processes;
    os::process_runner& programs;                             // for the commands of this machine
    std::map<std::string, std::string> command_environment{}; // what each of them gets
    const os::circumstances& circumstances;
    // Holds while the result lives; may be empty.
    std::function<std::unique_ptr<os::wakefulness>(const std::string& why)> keep_awake;
    const scheduling* timers = nullptr; // absent: this agent has no part in any scheduler
};

} // namespace xentz::agent
