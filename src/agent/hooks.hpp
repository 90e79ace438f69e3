// The commands that the config wants before and after a job (docs/hooks.md).
//
// Those before it run in their order. One that fails keeps the job from running, unless it says that it does not
// matter. Those after it run whatever came of it (or only after a success or a failure, as each says), also where the
// job never began or was interrupted: what a command before it stopped must be started again. A stop does not interrupt
// them; those that begin after one share half a minute. A failing one is told and changes nothing: the snapshot is as
// good as before.
#pragma once

#include "agent/job_run.hpp"

namespace xentz::agent {

// The work of the job with everything around it. What each command came to is in c.commands. hook_failed where a
// command kept the job from running.
base::result<job_outcome> with_hooks(run_context& c, domain::job j, const job_work& work);

} // namespace xentz::agent
