// The identity of a bucket that is a storage, and its trash.
#include "repo/s3_blob_store.hpp"
#include "repo/storage_identity.hpp"

#include <algorithm>
#include <utility>

namespace xentz::repo {

using base::fail;
using base::failed;
using base::fault_code;

namespace {

constexpr auto identity_key = "storage.json";
constexpr std::size_t most_identity_bytes = 4096;

} // namespace

base::result<std::string> s3_blob_store::present_id()
{
    const auto text = client_->get(identity_key, most_identity_bytes);
    if (!text) return std::unexpected(text.error());
    return parse_identity(*text, client_->where().name() + "/" + identity_key);
}

base::result<> s3_blob_store::initialise()
{
    const auto text = identity_text(storage_id_);
    const auto body = s3::payload_of(text);
    auto put = client_->put(identity_key, body, s3::when_present::refuse);
    if (!put && put.error().code != fault_code::conflict) return put;
    const auto present = present_id();
    if (!present) return std::unexpected(present.error());
    if (*present != storage_id_)
        return fail(fault_code::conflict,
                    "the storage at " + client_->where().name() + " belongs to another installation (its id is " +
                        *present + ")",
                    "Choose another bucket or prefix, or restore the database that belongs to this storage");
    auto again = client_->put(identity_key, body, s3::when_present::refuse);
    if (!again && again.error().code == fault_code::conflict) return {};
    if (!again) return again;
    return fail(fault_code::server_refused,
                "the object store at " + client_->where().endpoint + " replaces objects although it was told not to",
                "Use a store that keeps to If-None-Match, or a newer version of it");
}

base::result<> s3_blob_store::claim(std::string) { return ready(); }

base::result<> s3_blob_store::ready()
{
    const auto looked_at = clock_.elapsed().count();
    auto here = check_identity(present_id(), storage_id_, client_->where().name(),
                               {.for_another = "Name the bucket and the prefix that belong to this server",
                                .for_none = "Bring the bucket's objects back, or correct the storage's address"});
    if (here) ready_at_ = looked_at;
    return here;
}

base::result<std::vector<std::string>> s3_blob_store::repositories()
{
    if (auto ok = ready(); !ok) return failed(ok);
    std::vector<std::string> out;
    const auto prefix = layout_.repositories().string() + "/";
    for (std::string after;;) {
        auto p = page_of({.prefix = prefix, .by_folder = true, .after = after});
        if (!p) return failed(p);
        for (const auto& folder : p->folders)
            if (folder.size() > prefix.size() + 1)
                out.push_back(folder.substr(prefix.size(), folder.size() - prefix.size() - 1));
        if (p->next.empty()) break;
        after = p->next;
    }
    std::ranges::sort(out);
    return out;
}

base::result<> s3_blob_store::drop_repository(std::string_view repository_id)
{
    if (auto ok = check_repository_id(repository_id); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    {
        const std::lock_guard guard{known_mutex_};
        known_.erase(std::string{repository_id});
    }
    if (auto ok = remove_below(layout_.repository(repository_id).string() + "/"); !ok) return ok;
    return remove_below(layout_.trash(repository_id).string() + "/");
}

base::result<> s3_blob_store::remove_below(const std::string& prefix)
{
    for (;;) {
        // From the beginning each time: what was listed is gone.
        auto p = page_of({.prefix = prefix});
        if (!p) return failed(p);
        for (const auto& o : p->objects) {
            auto removed = client_->remove(o.key);
            if (!removed) return std::unexpected(unusable(std::move(removed.error())));
        }
        if (p->objects.empty()) return {};
    }
}

base::result<> s3_blob_store::take_file(const object_key&, const std::filesystem::path& file)
{
    return fail(fault_code::conflict, file.string() + " cannot be moved into an object store", "Use --copy");
}

base::result<> s3_blob_store::bury(const trash_entry& e)
{
    if (auto ok = check_entry(e); !ok) return ok;
    if (auto ok = lately_ready(); !ok) return ok;
    auto copied = client_->copy(layout_.file(e.key).string(), layout_.trash_file(e).string());
    if (!copied) return std::unexpected(explained(std::move(copied.error())));
    auto removed = client_->remove(layout_.file(e.key).string());
    if (!removed) return std::unexpected(unusable(std::move(removed.error())));
    return {};
}

base::result<> s3_blob_store::unbury(const trash_entry& e)
{
    if (auto ok = check_entry(e); !ok) return ok;
    if (auto ok = lately_ready(); !ok) return ok;
    auto copied = client_->copy(layout_.trash_file(e).string(), layout_.file(e.key).string());
    if (!copied) return std::unexpected(explained(std::move(copied.error())));
    auto removed = client_->remove(layout_.trash_file(e).string());
    if (!removed) return std::unexpected(unusable(std::move(removed.error())));
    return {};
}

base::result<> s3_blob_store::destroy(const trash_entry& e)
{
    if (auto ok = check_entry(e); !ok) return ok;
    if (auto ok = lately_ready(); !ok) return ok;
    auto removed = client_->remove(layout_.trash_file(e).string());
    if (!removed) return std::unexpected(unusable(std::move(removed.error())));
    return {};
}

base::result<std::unique_ptr<object_reader>> s3_blob_store::open_buried(const trash_entry& e)
{
    if (auto ok = check_entry(e); !ok) return failed(ok);
    return open_at(layout_.trash_file(e).string(), false);
}

base::result<> s3_blob_store::list_buried(std::string_view repository_id,
                                          const std::function<bool(const trash_entry&)>& each)
{
    if (auto ok = check_repository_id(repository_id); !ok) return ok;
    if (auto ok = lately_ready(); !ok) return ok;
    const auto prefix = layout_.trash(repository_id).string() + "/";
    for (std::string after;;) {
        auto p = page_of({.prefix = prefix, .after = after});
        if (!p) return failed(p);
        for (const auto& o : p->objects) {
            const auto e = parse_entry(repository_id, std::string_view{o.key}.substr(prefix.size()));
            if (e && !each(*e)) return {};
        }
        if (p->next.empty()) return {};
        after = p->next;
    }
}

} // namespace xentz::repo
