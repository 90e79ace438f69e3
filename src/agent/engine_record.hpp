// Which processes of the engine this agent has started (state/engine.json): a lock that one of them left in the
// repository is known to be ours. The engine's processes inherit the run lock, so whoever holds that lock knows that
// every process of the record is gone.
//
// Threads: one thread at a time, under the run lock.
#pragma once

#include "agent/environment.hpp"
#include "wire/json.hpp"

#include <string>
#include <vector>

namespace xentz::agent {

struct engine_process {
    std::int64_t process_id = 0;
    base::time_point started_at;
    std::string host; // the machine's name then: what stands in the lock
};
BOOST_DESCRIBE_STRUCT(engine_process, (), (process_id, started_at, host))

constexpr std::size_t most_processes_recorded = 64;

// Oldest first; empty where there is no record or a damaged one.
std::vector<engine_process> load_engine_record(os::files& fs, const home& h);

// Durable when it returns. Where it cannot be written the run goes on: a lock is then judged without it.
void record_engine_process(environment& env, std::int64_t process_id);

} // namespace xentz::agent
