// What a run that was killed left behind, put in order by the next one: its state, its report, its marker.
#pragma once

#include "agent/environment.hpp"
#include "agent/local_config.hpp"
#include "agent/spool.hpp"

namespace xentz::agent {

// Call it under the run lock, so that whoever wrote the marker is gone. Where the killed run cannot be recorded the
// marker stays and the fault says why: a new run would write its own over it, and the old one would never be told.
base::result<> settle_killed_run(environment& env, const local_config& local, spool& reports);

} // namespace xentz::agent
