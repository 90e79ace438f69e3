#include "repo/disk_blob_store.hpp"

namespace xentz::repo {

using base::failed;
using base::fault_code;

namespace {

class buried_reader final : public object_reader {
public:
    buried_reader(std::unique_ptr<os::file> file, const os::file_info& info) : file_(std::move(file)), info_(info) {}
    std::uint64_t size() const override { return info_.bytes; }
    base::time_point stored_at() const override { return info_.modified; }
    base::result<std::size_t> read(std::uint64_t offset, std::span<char> out) override
    {
        return file_->read(offset, out);
    }

private:
    std::unique_ptr<os::file> file_;
    os::file_info info_;
};

} // namespace

base::result<> disk_blob_store::prepare_trash(std::string_view repository_id)
{
    const std::lock_guard guard{durable_mutex_};
    if (durable_trash_.contains(repository_id)) return {};
    const auto own = layout_.trash(repository_id);
    for (const auto& p : {layout_.trash(), own})
        if (auto ok = make_folder(p); !ok) return ok;
    for (const auto& p : {layout_.root(), layout_.trash()})
        if (auto ok = fs_.sync_directory(p); !ok) return ok;
    durable_trash_.emplace(repository_id);
    return {};
}

base::result<> disk_blob_store::bury(const trash_entry& e)
{
    if (auto ok = check_entry(e); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    if (auto ok = prepare_trash(e.key.repository_id); !ok) return ok;
    if (auto ok = fs_.rename(layout_.file(e.key), layout_.trash_file(e)); !ok)
        return std::unexpected(explained(std::move(ok.error())));
    // The new name first: a power cut between the two may leave both, never none.
    if (auto ok = fs_.sync_directory(layout_.trash(e.key.repository_id)); !ok) return ok;
    return fs_.sync_directory(layout_.folder(e.key));
}

base::result<> disk_blob_store::unbury(const trash_entry& e)
{
    if (auto ok = check_entry(e); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    auto renamed = fs_.rename(layout_.trash_file(e), layout_.file(e.key));
    if (!renamed && renamed.error().code == fault_code::not_found) {
        auto there = fs_.info(layout_.trash_file(e));
        if (!there) return std::unexpected(explained(std::move(there.error())));
        // A copy of a storage may have lost its empty folders.
        if (auto ok = create_repository(e.key.repository_id); !ok) return ok;
        renamed = fs_.rename(layout_.trash_file(e), layout_.file(e.key));
    }
    if (!renamed) return std::unexpected(explained(std::move(renamed.error())));
    if (auto ok = fs_.sync_directory(layout_.folder(e.key)); !ok) return ok;
    return fs_.sync_directory(layout_.trash(e.key.repository_id));
}

base::result<> disk_blob_store::destroy(const trash_entry& e)
{
    if (auto ok = check_entry(e); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    auto removed = fs_.remove(layout_.trash_file(e));
    if (!removed && removed.error().code == fault_code::not_found) return {};
    return removed;
}

base::result<std::unique_ptr<object_reader>> disk_blob_store::open_buried(const trash_entry& e)
{
    if (auto ok = check_entry(e); !ok) return failed(ok);
    const auto where = layout_.trash_file(e);
    auto info = fs_.info(where);
    if (!info) return std::unexpected(explained(std::move(info.error())));
    auto file = fs_.open(where);
    if (!file) return std::unexpected(explained(std::move(file.error())));
    return std::make_unique<buried_reader>(std::move(*file), *info);
}

base::result<> disk_blob_store::list_buried(std::string_view repository_id,
                                            const std::function<bool(const trash_entry&)>& each)
{
    if (auto ok = check_repository_id(repository_id); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    auto listed = fs_.list(layout_.trash(repository_id), [&](const os::directory_entry& entry) {
        const auto e = entry.kind == os::file_kind::regular ? parse_entry(repository_id, entry.name) : std::nullopt;
        return !e || each(*e);
    });
    if (!listed && listed.error().code == fault_code::not_found) return {};
    return listed;
}

} // namespace xentz::repo
