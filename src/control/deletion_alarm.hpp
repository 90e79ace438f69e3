// Whether more was deleted from a repository than its policy explains. Judged by what the server saw: the journal's own
// times and the policy that it hands out; what the device reports plays no part. Source of the rules of retention:
// restic doc/060_forget.rst.
//
// It looks back 30 days, but not beyond the last change of the policy. Days begin where they may begin: of all time
// zones the one counts by which most may go. A repository in mode "full" keeps no record of what left it, so there is
// no alarm for it.
// Threads: pure functions, but for those that ask the store.
#pragma once

#include "control/administration.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace xentz::control {

// How many of these snapshots, stored at those times, the rules keep; at least so many are left after a forget.
std::size_t kept_at_least(const domain::retention& r, const std::vector<base::time_point>& stored);

struct deletion_facts {
    domain::retention retention;
    std::vector<store::snapshot_life> snapshots;
    std::vector<store::departures> gone;
    std::vector<store::type_usage> present;
};

// One sentence for each thing that the policy does not explain; none is good.
std::vector<std::string> unexplained(const deletion_facts& f);

std::vector<std::string> deletion_alarms(store::fleet_store& store, const store::repository& r, base::time_point now);

// The same, and what the scrub has found in it: all that an administrator has to be told about a repository.
std::vector<std::string> repository_alarms(store::fleet_store& store, const store::repository& r, base::time_point now);

} // namespace xentz::control
