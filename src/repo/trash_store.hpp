// Where the bytes of deleted objects wait. An entry is named by its repository, a place that is unique there (a number
// of the journal), the type and the hash of its bytes, so that a trash can be understood without its journal.
//
// What these functions have acknowledged survives a power cut. Moving never brings bytes here: it is one rename, or a
// copy within an object store, which leaves both where it is cut short, and never none.
// Faults: as blob_store.hpp; not_found where what is to be moved is not there.
// Threads: may be used from any thread at once.
#pragma once

#include "repo/blob_store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace xentz::repo {

struct trash_entry {
    object_key key; // as it was, or will be, present
    std::string hash;
    std::int64_t place = 0;
};

// invalid_value where it could name something else than bytes in the trash.
base::result<> check_entry(const trash_entry& e);
// "12-data-<64 hex digits>", and back; nothing where the text is no such name.
std::string entry_name(const trash_entry& e);
std::optional<trash_entry> parse_entry(std::string_view repository_id, std::string_view name);

class trash_store {
public:
    virtual ~trash_store() = default;
    virtual base::result<> bury(const trash_entry& e) = 0;
    // Replaces nothing but the same bytes: the caller has looked that no other config is present.
    virtual base::result<> unbury(const trash_entry& e) = 0;
    virtual base::result<> destroy(const trash_entry& e) = 0; // no error where it is missing
    virtual base::result<std::unique_ptr<object_reader>> open_buried(const trash_entry& e) = 0;
    // Calls `each` for every entry of a repository's trash, which may be missing; stops early where it returns false.
    virtual base::result<> list_buried(std::string_view repository_id,
                                       const std::function<bool(const trash_entry&)>& each) = 0;
};

} // namespace xentz::repo
