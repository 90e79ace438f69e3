// The blob store on a local disk, in the layout of disk_layout.hpp. An object is written to incoming/, hashed while it
// is written, synced, renamed to its place, and its folder synced: it is complete and durable before it has a name.
//
// A storage that is missing or another one (storage_identity.hpp) is looked for before everything that changes
// something and before every "not found". Any number of processes may read a storage; one serves it (`claim`).
// Threads and faults: as blob_store.hpp says. The `files` must outlive the store.
#pragma once

#include "os/files.hpp"
#include "os/lock.hpp"
#include "repo/disk_layout.hpp"
#include "repo/storage.hpp"
#include "repo/storage_identity.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::repo {

class disk_blob_store final : public storage {
public:
    // Touches no disk: a storage that is missing now may be mounted later, `ready` tells. invalid_value where `root`
    // is relative or `storage_id` empty.
    static base::result<std::unique_ptr<disk_blob_store>> open(os::files& fs, std::filesystem::path root,
                                                               std::string storage_id);

    // Takes the lock of the storage, which lasts as long as the store, and sweeps. Where the storage is not there,
    // `ready` tries again, and is not ready without the lock.
    base::result<> claim(std::string holder) override;
    base::result<std::vector<std::string>> repositories() override;
    base::result<> drop_repository(std::string_view repository_id) override;
    base::result<> take_file(const object_key& key, const std::filesystem::path& file) override;
    std::optional<std::uint64_t> free_bytes() override;

    // Removes what interrupted uploads left in incoming/; only where no other process writes.
    base::result<> sweep();

    base::result<> ready() override;
    base::result<> create_repository(std::string_view repository_id) override;
    base::result<std::unique_ptr<incoming>> receive(const object_key& key, std::uint64_t most) override;
    base::result<std::unique_ptr<object_reader>> open(const object_key& key) override;
    base::result<std::uint64_t> size(const object_key& key) override;
    base::result<> remove(const object_key& key) override;
    base::result<std::unique_ptr<object_list>> list(std::string_view repository_id, object_type type) override;

    base::result<> bury(const trash_entry& e) override;
    base::result<> unbury(const trash_entry& e) override;
    base::result<> destroy(const trash_entry& e) override;
    base::result<std::unique_ptr<object_reader>> open_buried(const trash_entry& e) override;
    base::result<> list_buried(std::string_view repository_id,
                               const std::function<bool(const trash_entry&)>& each) override;

private:
    class upload;
    struct temporary;

    disk_blob_store(os::files& fs, std::filesystem::path root, std::string storage_id);

    base::result<> identified();
    base::result<> hold();
    base::fault explained(base::fault f);
    base::result<os::file_info> present(const object_key& key);
    base::result<temporary> create_temporary();
    base::result<> make_folder(const std::filesystem::path& p);
    base::result<> complete(std::string_view repository_id);
    base::result<> save_names(std::string_view repository_id);
    base::result<> save_names_once(std::string_view repository_id);
    base::result<> place(const std::filesystem::path& from, const object_key& key);
    base::result<> place_config(const std::filesystem::path& from, const object_key& key, std::string_view hash);
    base::result<std::string> hash_of(const std::filesystem::path& p);
    base::result<> prepare_trash(std::string_view repository_id);

    os::files& fs_;
    disk_layout layout_;
    std::string storage_id_;
    std::atomic<std::uint64_t> next_temporary_{0};
    std::mutex config_mutex_; // between the look at the present config and the rename of the new one

    // The repositories whose folders were seen to be durable since this process started: those of an earlier create
    // may be there without being so.
    std::mutex durable_mutex_;
    std::set<std::string, std::less<>> durable_;
    std::set<std::string, std::less<>> durable_trash_;

    // storage.json as it was when it last said the right thing.
    std::mutex identity_mutex_;
    std::optional<os::file_info> identity_;

    std::mutex claim_mutex_;
    std::string holder_; // not empty: this process serves the storage, or wants to
    std::unique_ptr<os::file_lock> lock_;
};

} // namespace xentz::repo
