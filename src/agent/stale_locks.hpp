// The locks that lie in a repository: which of them are provably dead, and the removal of exactly those. restic's own
// `unlock` goes by host name and process id alone, and was seen to take a living lock for dead from another process
// namespace; it is used only where a single lock cannot be removed, and only if all of them are dead.
//
// A lock is dead where
// - a process of this agent wrote it: we hold the run lock, which such a process would hold as long as it lives; or
// - it names this host, this machine is still the one whose repository was pinned, we see every process of it, none
//   with that id was running when the lock was written, and the clock agrees with the server's; or
// - it was not refreshed for longer than restic's own limit of 30 minutes by the server's clock (restic refreshes every
//   5 by a new lock): since the server stored it, where it tells, and otherwise since what the holder wrote into it.
// Source: restic's design document (locks) and recorded runs of 0.14 to 0.19.
#pragma once

#include "agent/engine_record.hpp"
#include "agent/environment.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::agent {

// What is known when a lock is judged.
struct lock_facts {
    base::time_point now;
    std::optional<base::time_point> server_now; // absent: nobody else's clock is known
    std::string host;
    bool same_machine = false;       // as when the repository was pinned
    std::vector<engine_process> own; // each known to be gone
    const os::process_table* processes = nullptr;
};

enum class lock_verdict { dead, alive, uncertain };

struct lock_judgement {
    lock_verdict verdict = lock_verdict::uncertain;
    std::string why; // "the process that wrote it is gone"
};

// Pure. `stored_at` is when the server stored the lock or its last refresh, by the server's clock.
lock_judgement judge_lock(const engine::lock& l, const std::optional<base::time_point>& stored_at,
                          const lock_facts& facts);

struct cleared_locks {
    std::vector<std::string> removed; // each as a sentence for the report
    std::vector<std::string> kept;    // likewise
};

// Looks at every lock and removes the dead ones. Call it only while the run lock is held and no process of the
// engine runs.
base::result<cleared_locks> clear_dead_locks(environment& env, const std::string& address, http::client& client,
                                             engine::session& session, std::stop_token stop);

} // namespace xentz::agent
