// A folder in the layout of restic's local back end, as rest-server keeps one for each repository: what of it are
// objects, and whether they are what their names say. Threads: one at a time.
#pragma once

#include "os/files.hpp"
#include "repo/blob_store.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace xentz::apps {

struct folder_object {
    repo::object_type type = repo::object_type::config;
    std::string name; // empty for the config
    std::string hash; // of its bytes; for all but the config the name
    std::uint64_t bytes = 0;
    std::filesystem::path where;
};

struct restic_folder {
    std::vector<folder_object> objects;        // all but locks, the config last
    std::vector<std::filesystem::path> others; // files that are no objects
    std::vector<folder_object> locks;
};

// Lists the folder; the config is read, nothing else. usage where it is no repository.
base::result<restic_folder> list_restic_folder(os::files& fs, const std::filesystem::path& root);

// Reads an object whole; repository_damaged where its bytes have another hash than its name says.
base::result<> check_object(os::files& fs, const folder_object& o);

// Calls `each` with piece after piece of an object.
base::result<> read_object(os::files& fs, const folder_object& o,
                           const std::function<base::result<>(std::span<const char>)>& each);

} // namespace xentz::apps
