// Whether the storage is there, is the right one, and may be served.
#include "repo/disk_blob_store.hpp"

#include "repo/stored_repositories.hpp"

#include <utility>

namespace xentz::repo {

using base::fail;
using base::failed;
using base::fault_code;

base::result<> disk_blob_store::claim(std::string holder)
{
    {
        const std::lock_guard guard{claim_mutex_};
        holder_ = std::move(holder);
    }
    if (auto ok = check_storage(fs_, layout_.root(), storage_id_); !ok) return ok;
    return hold();
}

base::result<std::vector<std::string>> disk_blob_store::repositories()
{
    return stored_repositories(fs_, layout_.root(), storage_id_);
}

std::optional<std::uint64_t> disk_blob_store::free_bytes()
{
    std::error_code error;
    const auto space = std::filesystem::space(layout_.root(), error);
    return error ? std::nullopt : std::optional<std::uint64_t>{space.available};
}

base::result<> disk_blob_store::hold()
{
    const std::lock_guard guard{claim_mutex_};
    if (holder_.empty() || lock_) return {};
    auto lock = os::try_lock(layout_.lock_file(), holder_);
    if (!lock) return failed(lock);
    if (auto ok = sweep(); !ok) return ok;
    lock_ = std::move(*lock);
    return {};
}

base::result<> disk_blob_store::sweep()
{
    if (auto ok = os::remove_all(fs_, layout_.incoming()); !ok) return ok;
    return make_folder(layout_.incoming());
}

// As long as storage.json is the same file and nobody has changed it, it says what it said.
base::result<> disk_blob_store::identified()
{
    const auto present = fs_.info(layout_.identity_file());
    {
        const std::lock_guard guard{identity_mutex_};
        if (present && identity_ == *present) return {};
    }
    if (auto ok = check_storage(fs_, layout_.root(), storage_id_); !ok) return ok;
    const std::lock_guard guard{identity_mutex_};
    if (present) identity_ = *present;
    return {};
}

base::result<> disk_blob_store::ready()
{
    if (auto ok = identified(); !ok) return ok;
    auto held = hold();
    if (held) return {};
    return fail(fault_code::repository_unavailable,
                "the storage at " + layout_.root().string() + " cannot be served: " + held.error().message,
                std::move(held.error().remedy));
}

// "Not found" is only said of a storage that is there.
base::fault disk_blob_store::explained(base::fault f)
{
    if (f.code != fault_code::not_found) return f;
    auto here = ready();
    return here ? std::move(f) : std::move(here.error());
}

} // namespace xentz::repo
