// Who may do what to a repository: a table of the repository's protection, the credential that was shown, and the
// request. What is allowed here may still go to the trash instead of away; that is guarded_store's part.
//
// Threads: pure functions.
#pragma once

#include "repo/blob_store.hpp"

#include <optional>
#include <string_view>

namespace xentz::repo {

enum class protection {
    full,        // what is removed is gone
    append_only, // nothing is removed but locks, and keys stay as they are, unless in maintenance
    guarded      // what is removed moves to the trash
};

enum class credential {
    normal,
    read_only,  // reads, and writes locks, which restic needs for reading
    maintenance // for a limited time: prune and key changes where the repository is append-only
};

std::string_view name(protection p);
std::optional<protection> parse_protection(std::string_view text);

enum class operation { read, store, remove, create };

enum class verdict { allowed, read_only, append_only };

struct intent {
    operation what = operation::read;
    object_type type = object_type::config;
    bool initialised = false; // the repository has a config: its first key was stored
};

verdict judge(protection p, credential c, const intent& a);

} // namespace xentz::repo
