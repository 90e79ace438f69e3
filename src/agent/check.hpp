// The job `check`: does the repository hold what it should, and can it be restored? Each run lets the engine check the
// structure and one part of the data, so that after `parts` runs everything has been read, and then restores a sample
// of files from the newest snapshot (agent/drill.hpp). A run in which a flaw was found is a failure with its figures;
// its part is read again until it is without one.
//
// Faults: repository_damaged, restore_differs (the flaws); everything else says that the check could not be made.
#pragma once

#include "agent/job_run.hpp"

namespace xentz::agent {

job_work check_work();

// The part whose turn it is (state/rotation.json): the first one where the number of parts is another than before.
engine::data_part next_part(os::files& fs, const home& h, std::uint32_t parts);
// `done` was read and is without a flaw: the next one has its turn.
base::result<> advance(os::files& fs, const home& h, const engine::data_part& done);

} // namespace xentz::agent
