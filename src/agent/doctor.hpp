// `doctor`: everything that could stop the next backup, looked at once, each with what to do. It asks the control plane
// and the repository as a run would, opens the repository once with its password (the one costly question), and writes
// nothing but what a fetched config leaves in the cache.
#pragma once

#include "agent/doctor_findings.hpp"
#include "agent/environment.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::agent {

// What the operating system knows; functions, so that tests answer for it.
struct doctor_probes {
    std::function<base::result<std::uint64_t>(const std::filesystem::path&)> free_bytes;
    std::function<os::readability(const std::filesystem::path&)> may_read;
    std::function<bool(const std::filesystem::path&)> owned_by_this_user;
    std::filesystem::path temporary; // where restic puts what it is about to upload
    // What starts the runs, and when it does so next; empty where this program knows no scheduler.
    std::function<finding()> schedule;
};
doctor_probes probes_of_this_machine(std::filesystem::path temporary);

// In the order of the checks, which is that of a run; always at least one finding.
std::vector<finding> examine(environment& env, const doctor_probes& probes, std::stop_token stop);

bool stops_a_backup(const std::vector<finding>& all); // one of them is a problem

} // namespace xentz::agent
