// A place that holds the repositories of an installation and their trash: a folder on a disk, or a bucket.
//
// Threads and faults: as blob_store.hpp and trash_store.hpp.
#pragma once

#include "repo/blob_store.hpp"
#include "repo/trash_store.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace xentz::repo {

class storage : public blob_store, public trash_store {
public:
    // For the process that serves the storage, before it serves. run_locked where only one may, and another does;
    // repository_unavailable where the storage is not there: the process may go on, `ready` tells when it is.
    virtual base::result<> claim(std::string holder) = 0;
    // The ids of all repositories that lie on it, whoever they belong to; sorted.
    virtual base::result<std::vector<std::string>> repositories() = 0;
    // Removes a repository and its trash for good, whatever is in it; no error where there is none.
    virtual base::result<> drop_repository(std::string_view repository_id) = 0;
    // Moves a file of this machine to where the object belongs, durably, without a copy; its bytes have been compared
    // with the object's hash. No effect and no error where the file is missing and the object is there. conflict, with
    // a remedy, where it would take a copy, and for another config.
    virtual base::result<> take_file(const object_key& key, const std::filesystem::path& file) = 0;
    // The room that is left; nothing where that has no meaning or cannot be known.
    virtual std::optional<std::uint64_t> free_bytes() = 0;
};

} // namespace xentz::repo
