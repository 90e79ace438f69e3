#include "orphans.hpp"

#include "storage.hpp"

#include <set>

namespace xentz::apps {

base::result<std::vector<std::string>> repositories_without_device(context& c, store::fleet_store& store,
                                                                   const std::string& storage_id)
{
    auto storage = open_storage(c, storage_id);
    if (!storage) return base::failed(storage);
    auto found = (*storage)->repositories();
    if (!found) return found;
    std::set<std::string> known;
    for (const auto& r : store.repositories()) known.insert(r.id.text);
    std::erase_if(*found, [&](const std::string& id) { return known.contains(id); });
    return found;
}

} // namespace xentz::apps
