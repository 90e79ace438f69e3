// What the jobs that work on the repository do before and around their work: the repository must be there and be the
// pinned one, and a lock that nobody holds must not stop them.
#pragma once

#include "agent/job_run.hpp"
#include "agent/preflight.hpp"

namespace xentz::agent {

// Looks whether the repository is there, and hears what time its server has.
base::result<repository_look> look(run_context& c, engine::session& session);

// The repository of this machine, which must not be made by whoever calls this: repository_missing, repository_changed.
base::result<> require_pinned_repository(run_context& c, engine::session& session);

// The whole id of a snapshot that the engine says it has made, of which restic 0.14 tells eight digits.
// snapshot_unconfirmed where the repository does not list it or cannot be asked; where it is no rest server, the
// engine's word counts.
base::result<std::string> confirmed_snapshot(run_context& c, const std::string& id);

// True where locks that nobody holds were removed, which `warnings` then tell; whoever is alive keeps his.
bool cleared_dead_locks(run_context& c, engine::session& session, std::vector<std::string>& warnings);

// A killed restic leaves its lock behind, and what needs the repository for itself would fail from then on. The call is
// tried once more where a lock that nobody holds was removed.
template <class Call>
auto past_dead_locks(run_context& c, engine::session& session, std::vector<std::string>& warnings, const Call& call)
    -> decltype(call())
{
    auto done = call();
    if (done || done.error().code != base::fault_code::repository_locked) return done;
    return cleared_dead_locks(c, session, warnings) ? call() : done;
}

} // namespace xentz::agent
