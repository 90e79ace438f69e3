// A run's result as it is told to the control plane.
//
// Threads: a pure function, but for asking the engine its version.
#pragma once

#include "agent/environment.hpp"
#include "agent/local_config.hpp"
#include "agent/state.hpp"
#include "wire/messages.hpp"

namespace xentz::agent {

wire::report_message report_of(environment& env, const local_config& local, const job_state& s);

} // namespace xentz::agent
