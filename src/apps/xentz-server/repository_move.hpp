// Takes a repository, its trash included, from one storage to another while clients go on.
//
// It copies what the journal says belongs there, again and again, until little is left; then nothing comes or goes for
// the moments that the rest takes, and the repository is said to lie on the new storage only where the journal has not
// gone on since (store/storage_places.hpp). Every object is compared with its hash when it is stored. What was copied
// is removed from the old storage last. Killed at any moment it has moved the repository or not; called again it goes
// on.
//
// Memory: some 150 bytes for each object. Faults: those of the storages; conflict where another command works on the
// repository; repository_damaged where an object is missing or not what its name says: then nothing has moved.
#pragma once

#include "storages.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace xentz::apps {

struct move_parts {
    storages& all;
    store::fleet_store& store;
    const base::clock& clock;
    std::function<void(const std::string&)> say; // a line for a person
    std::function<void(std::chrono::microseconds)> pause;
};

struct moved_amount {
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
};

// To the storage with this id; what is there already is not sent again.
base::result<moved_amount> move_repository(const move_parts& p, const domain::repository_id& id,
                                           const std::string& storage_id);

} // namespace xentz::apps
