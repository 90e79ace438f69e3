// How much room a repository and its tenant have, and whether an object fits: within the quota of the repository and
// of its tenant, and within what present objects and the trash may take together. Locks and indexes may exceed a quota
// by a little: restic needs them to prune a full repository. Functions of their arguments only.
#pragma once

#include "base/fault.hpp"
#include "repo/blob_store.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace xentz::repo {

// What a repository and its tenant hold, what uploads under way have reserved, and what they may hold.
struct room {
    std::string tenant;
    std::uint64_t live = 0;
    std::uint64_t trash = 0;
    std::uint64_t reserved = 0;
    std::uint64_t tenant_live = 0;
    std::uint64_t tenant_trash = 0;
    std::uint64_t tenant_reserved = 0;
    std::optional<std::uint64_t> quota;
    std::optional<std::uint64_t> tenant_quota;
    std::uint64_t trash_factor = 2; // live and trash together: at most the quota times this
};

// repository_full where an object of `bytes` does not fit.
base::result<> fits(const room& r, object_type type, std::uint64_t bytes);

} // namespace xentz::repo
