#include "orphans.hpp"

#include "routed_storage.hpp"

#include <set>

namespace xentz::apps {

base::result<std::vector<std::string>> repositories_without_device(context& c, store::fleet_store& store,
                                                                   const std::string& storage_id)
{
    storages all{c, store, storage_id, ""};
    routed_storage every{all};
    auto found = every.repositories();
    if (!found) return found;
    std::set<std::string> known;
    for (const auto& r : store.repositories()) known.insert(r.id.text);
    std::erase_if(*found, [&](const std::string& id) { return known.contains(id); });
    return found;
}

} // namespace xentz::apps
