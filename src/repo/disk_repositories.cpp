#include "repo/disk_blob_store.hpp"

namespace xentz::repo {

using base::fail;
using base::failed;
using base::fault_code;

base::result<> disk_blob_store::drop_repository(std::string_view repository_id)
{
    if (auto ok = check_repository_id(repository_id); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    {
        const std::lock_guard guard{durable_mutex_};
        durable_.erase(std::string{repository_id});
        durable_trash_.erase(std::string{repository_id});
    }
    for (const auto& p : {layout_.repository(repository_id), layout_.trash(repository_id)})
        if (auto ok = os::remove_all(fs_, p); !ok) return ok;
    for (const auto& p : {layout_.repositories(), layout_.trash()}) {
        auto synced = fs_.sync_directory(p);
        if (!synced && synced.error().code != fault_code::not_found) return synced;
    }
    return {};
}

// The file's bytes may never have been synced by whoever wrote it.
base::result<> disk_blob_store::take_file(const object_key& key, const std::filesystem::path& file)
{
    if (auto ok = check_key(key); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    auto bytes = fs_.open(file);
    if (!bytes && bytes.error().code == fault_code::not_found && present(key)) return {};
    if (!bytes) return failed(bytes);
    if (auto ok = (*bytes)->sync(); !ok) return ok;
    if (auto ok = save_names_once(key.repository_id); !ok) return std::unexpected(explained(std::move(ok.error())));
    auto placed = base::result<>{};
    if (key.type == object_type::config) {
        auto hash = hash_of(file);
        if (!hash) return failed(hash);
        placed = place_config(file, key, *hash);
    } else {
        placed = place(file, key);
    }
    if (placed || placed.error().code != fault_code::file_failed) return placed;
    return fail(fault_code::conflict, placed.error().message,
                "Where it lies on another file system than the storage, use --copy");
}

} // namespace xentz::repo
