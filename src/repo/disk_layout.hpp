// Where things lie below the root of a storage, on a disk or, with an empty root, in a bucket. Each repository has the
// layout of restic's local back end (restic doc/design.rst, "Repository Layout"), so that restic can use its folder
// directly:
//
//     storage.json  lock  incoming/part-0..63/
//     trash/<repository id>/<place>-<type>-<SHA-256>
//     repositories/<repository id>/{config,data/00..ff/,keys/,locks/,snapshots/,index/}
//
// A bucket has no folders: there is neither lock nor incoming/, and an empty object says that a repository was created.
// Threads: a value. Keys must have been checked (check_key).
#pragma once

#include "repo/blob_store.hpp"
#include "repo/trash_store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::repo {

class disk_layout {
public:
    explicit disk_layout(std::filesystem::path root) : root_(std::move(root)) {}

    const std::filesystem::path& root() const { return root_; }
    std::filesystem::path identity_file() const { return root_ / "storage.json"; }
    std::filesystem::path lock_file() const { return root_ / "lock"; }
    std::filesystem::path incoming() const { return root_ / "incoming"; }
    // Many, because to sync a new file is to sync the folder that it is in, and who does so waits for the others there.
    std::filesystem::path incoming(std::uint64_t number) const
    {
        return incoming() / ("part-" + std::to_string(number % 64));
    }
    std::filesystem::path repositories() const { return root_ / "repositories"; }
    std::filesystem::path repository(std::string_view id) const { return repositories() / id; }

    std::filesystem::path created(std::string_view id) const { return repository(id) / "created"; }

    std::filesystem::path trash() const { return root_ / "trash"; }
    std::filesystem::path trash(std::string_view id) const { return trash() / id; }
    std::filesystem::path trash_file(const trash_entry& e) const;

    std::filesystem::path folder(const object_key& key) const;
    std::filesystem::path file(const object_key& key) const;

    // The folders below a repository's own, each after its parent: "data", "data/00", ..., "keys", ...
    static std::vector<std::string> folders();
    // Those that hold the objects of a type.
    static std::vector<std::string> folders(object_type type);

private:
    std::filesystem::path root_;
};

} // namespace xentz::repo
