// What a run is going to do, decided from the config alone: no file, no process, no socket. Every reason not to run
// is a fault here, with the sentence that a person reads.
#pragma once

#include "agent/config_source.hpp"
#include "agent/local_config.hpp"

namespace xentz::agent {

// The host name fixed at enrolment and the agent's tag: what its snapshots of files are found by, and those of dumps.
engine::scope scope_of(const local_config& local);
engine::scope scope_of_dumps(const local_config& local);

// disabled, where the control plane (or, in legacy mode, config.json) has switched this agent off.
base::result<> check_enabled(const effective_config& effective);

// disabled, or config_invalid where neither a folder nor a dump is named; without a folder the request includes
// nothing.
base::result<engine::backup_request> plan_backup(const local_config& local, const effective_config& effective,
                                                 const home& h);

// Each folder of the request that one of its excludes takes away whole, as a sentence: nobody means that.
std::vector<std::string> excluded_includes(const engine::backup_request& r);

// disabled; retention_empty; clock_wrong; server_refused where the server answered and refused the config: a device
// that may not know its policy must not delete by an old one (a server that is merely away is no reason).
base::result<domain::retention> plan_retention(const effective_config& effective);

// clock_wrong: snapshots are told apart by their times, and with a wrong clock the newest may look like the oldest.
base::result<> check_clock(const std::optional<std::chrono::seconds>& skew);

} // namespace xentz::agent
