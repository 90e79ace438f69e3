// What the schedulers of this machine are told about this agent: how it is called, for whom, and where it lives.
#pragma once

#include "agent/home.hpp"
#include "agent/timetable.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace xentz::apps {

struct scheduling_seams {
    os::files& files;
    os::process_runner& processes;
    const os::time_zone& zone;
};

struct account {
    std::function<std::string(const char*)> variable; // of the environment; empty where it is not set
    // Where the agent looks when a scheduler starts it and says nothing: no matter what HOME is now.
    agent::home usual;
};

std::unique_ptr<agent::scheduling> make_scheduling(const scheduling_seams& seams, const agent::home& home,
                                                   const account& who);

} // namespace xentz::apps
