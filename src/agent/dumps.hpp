// Named dumps: a command whose output is streamed into a snapshot of its own (docs/hooks.md). The snapshot comes into
// being only once the command has ended with 0: until then the engine never sees the end of the data, whoever is killed
// (os/guarded_pipe.hpp).
//
// Threads: as a run; the command is watched by a thread of its own.
#pragma once

#include "agent/job_run.hpp"

namespace xentz::agent {

// Makes every dump of the config, each on its own: one that fails keeps the others from nothing. Tells of each in
// `c.commands`; where any failed, `out` is partial and says why. A fault only where the run as a whole cannot go on
// (interrupted, or the repository).
base::result<> make_dumps(run_context& c, engine::session& session, job_outcome& out);

} // namespace xentz::agent
