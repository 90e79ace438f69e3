#include "orphans.hpp"

#include "repo/stored_repositories.hpp"

#include <set>

namespace xentz::apps {

base::result<std::vector<std::string>> repositories_without_device(context& c, store::fleet_store& store,
                                                                   const std::string& storage_id)
{
    const auto root = storage_path(c);
    if (!root) return std::unexpected(root.error());
    auto found = repo::stored_repositories(c.files, *root, storage_id);
    if (!found) return found;
    std::set<std::string> known;
    for (const auto& r : store.repositories()) known.insert(r.id.text);
    std::erase_if(*found, [&](const std::string& id) { return known.contains(id); });
    return found;
}

} // namespace xentz::apps
