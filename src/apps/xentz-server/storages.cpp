#include "storages.hpp"

#include "storage.hpp"

namespace xentz::apps {

using base::fail;
using base::failed;
using base::fault_code;
using base::result;

result<storage_place*> storages::of(std::string_view repository_id)
{
    try {
        auto found = find(storage_id_of(repository_id));
        if (!found && found.error().code == fault_code::not_found)
            return fail(fault_code::repository_unavailable, found.error().message, found.error().remedy);
        return found;
    } catch (const std::exception& e) {
        return fail(fault_code::repository_unavailable,
                    std::string{"it cannot be read where the repository lies: "} + e.what());
    }
}

// For each request would be too often. A move keeps the repository from changing for longer than this is believed
// (store/storage_places.hpp), and what lay where it was stays there for longer, too.
std::string storages::storage_id_of(std::string_view repository_id)
{
    constexpr auto believed = store::storage_places::believed_for;
    const auto now = c_.clock.elapsed();
    {
        const std::lock_guard guard{mutex_};
        const auto at = known_.find(repository_id);
        if (at != known_.end() && now - at->second.asked_at < believed) return at->second.storage_id;
    }
    auto where = store_.places().storage_of({std::string{repository_id}});
    if (where.empty()) where = own_id_;
    const std::lock_guard guard{mutex_};
    known_.insert_or_assign(std::string{repository_id}, known_place{where, now});
    return where;
}

result<storage_place*> storages::find(const std::string& id)
{
    const std::lock_guard guard{mutex_};
    if (const auto at = open_.find(id); at != open_.end()) return at->second.get();
    if (id == own_id_) return open(id, "");
    const auto row = store_.places().find(id);
    if (!row)
        return fail(fault_code::not_found, "no storage has the id " + id, "`xentz-server storage list` shows them");
    return open(id, row->address);
}

std::vector<std::string> storages::ids()
{
    std::vector<std::string> out{own_id_};
    for (const auto& s : store_.places().all()) out.push_back(s.id);
    return out;
}

result<storage_place*> storages::open(const std::string& id, const std::string& address)
{
    auto storage = address.empty() ? open_storage(c_, id) : open_storage_at(c_, address, id);
    if (!storage) return failed(storage);
    if (!holder_.empty()) {
        // One that is not there may be mounted later.
        auto claimed = (*storage)->claim(holder_);
        if (!claimed && claimed.error().code != fault_code::repository_unavailable) return failed(claimed);
        if (!claimed) c_.log.error("not ready: " + base::sentence(claimed.error()));
    }
    auto& place = open_[id];
    place = std::make_unique<storage_place>(id, address, std::move(*storage), store_.objects(), c_.clock);
    place->is_shared = is_shared_address(address.empty() ? storage_address(c_) : address);
    return place.get();
}

} // namespace xentz::apps
