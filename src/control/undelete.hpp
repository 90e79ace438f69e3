// What an undelete has to move: pure, from the journal's rows. "Since" a place means everything that the journal holds
// above it.
//
// A union puts back what has left since the place, and keeps what came later: restic takes a repository with more
// packs, indexes and snapshots than it needs for whole. `exact` also buries what came after it. Locks never come
// back. Keys that were removed come back only with `keys`: whoever removed one may have had a reason.
// A repository has one config: the one of that place wins, in both forms.
#pragma once

#include "base/fault.hpp"
#include "store/storage_rows.hpp"

#include <cstdint>
#include <vector>

namespace xentz::control {

struct undelete_options {
    std::int64_t place = 0;
    bool exact = false;
    bool keys = false;
};

struct undelete_plan {
    std::vector<store::object_life> restore; // entries of the trash, in the order in which they are safe to restore
    std::vector<store::object_life> bury;    // present objects, likewise
    std::vector<store::object_life> lost;    // their bytes are no longer in the trash
    std::uint64_t keys_left_out = 0;         // removed keys that only --keys would bring back
    bool config_changes = false;
};

// `changes` is object_journal::changes_since(place).
undelete_plan plan_undelete(const std::vector<store::object_life>& changes, const undelete_options& o);

// conflict where nobody could open the repository afterwards; `keys_present` is how many keys it has now.
base::result<> check_undelete(const undelete_plan& plan, std::int64_t keys_present);

} // namespace xentz::control
