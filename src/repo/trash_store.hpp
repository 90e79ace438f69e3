// Where the bytes of deleted objects wait. An entry is named by its repository, a place that is unique there (a number
// of the journal), the type and the hash of its bytes, so that a trash can be understood without its journal.
//
// What these functions have acknowledged survives a power cut; moving is one rename and never copies bytes.
// Faults: as blob_store.hpp; not_found where what is to be moved is not there.
// Threads: may be used from any thread at once.
#pragma once

#include "repo/blob_store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace xentz::repo {

struct trash_entry {
    object_key key; // as it was, or will be, present
    std::string hash;
    std::int64_t place = 0;
};

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
