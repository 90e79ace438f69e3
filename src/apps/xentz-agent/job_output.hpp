// What is said of a run that has ended.
#pragma once

#include "agent/job_run.hpp"

namespace xentz::apps {

// Says what came of it, and gives its exit code.
int conclude(const agent::environment& env, base::result<agent::run_result> r, bool json);

} // namespace xentz::apps
