#include "routed_storage.hpp"

#include <algorithm>
#include <utility>

namespace xentz::apps {
namespace {

using base::failed;
using base::result;
using repo::object_key;
using repo::object_reader;
using repo::trash_entry;

// What `f` makes of the place of a repository.
template <class F>
auto at(storages& all, std::string_view repository_id, const F& f) -> std::invoke_result_t<const F&, storage_place&>
{
    auto place = all.of(repository_id);
    if (!place) return failed(place);
    return f(**place);
}

} // namespace

result<> routed_storage::claim(std::string holder)
{
    auto own = all_.own();
    return own ? (*own)->storage->claim(std::move(holder)) : failed(own);
}

result<std::vector<std::string>> routed_storage::repositories()
{
    std::vector<std::string> out;
    for (const auto& id : all_.ids()) {
        auto place = all_.find(id);
        if (!place) return failed(place);
        auto found = (*place)->storage->repositories();
        if (!found) return found;
        out.insert(out.end(), found->begin(), found->end());
    }
    std::ranges::sort(out);
    const auto again = std::ranges::unique(out);
    out.erase(again.begin(), again.end());
    return out;
}

std::optional<std::uint64_t> routed_storage::free_bytes()
{
    auto own = all_.own();
    return own ? (*own)->storage->free_bytes() : std::nullopt;
}

result<> routed_storage::ready()
{
    auto own = all_.own();
    return own ? (*own)->storage->ready() : failed(own);
}

result<> routed_storage::drop_repository(std::string_view id)
{
    return at(all_, id, [&](storage_place& p) { return p.storage->drop_repository(id); });
}

result<> routed_storage::take_file(const object_key& key, const std::filesystem::path& file)
{
    return at(all_, key.repository_id, [&](storage_place& p) { return p.storage->take_file(key, file); });
}

result<> routed_storage::create_repository(std::string_view id)
{
    return at(all_, id, [&](storage_place& p) { return p.storage->create_repository(id); });
}

result<std::unique_ptr<repo::incoming>> routed_storage::receive(const object_key& key, std::uint64_t most)
{
    return at(all_, key.repository_id, [&](storage_place& p) { return p.storage->receive(key, most); });
}

result<std::unique_ptr<object_reader>> routed_storage::open(const object_key& key)
{
    return at(all_, key.repository_id, [&](storage_place& p) { return p.storage->open(key); });
}

result<std::uint64_t> routed_storage::size(const object_key& key)
{
    return at(all_, key.repository_id, [&](storage_place& p) { return p.storage->size(key); });
}

result<> routed_storage::remove(const object_key& key)
{
    return at(all_, key.repository_id, [&](storage_place& p) { return p.storage->remove(key); });
}

result<std::unique_ptr<repo::object_list>> routed_storage::list(std::string_view id, repo::object_type type)
{
    return at(all_, id, [&](storage_place& p) { return p.storage->list(id, type); });
}

result<> routed_storage::bury(const trash_entry& e)
{
    return at(all_, e.key.repository_id, [&](storage_place& p) { return p.storage->bury(e); });
}

result<> routed_storage::unbury(const trash_entry& e)
{
    return at(all_, e.key.repository_id, [&](storage_place& p) { return p.storage->unbury(e); });
}

result<> routed_storage::destroy(const trash_entry& e)
{
    return at(all_, e.key.repository_id, [&](storage_place& p) { return p.storage->destroy(e); });
}

result<std::unique_ptr<object_reader>> routed_storage::open_buried(const trash_entry& e)
{
    return at(all_, e.key.repository_id, [&](storage_place& p) { return p.storage->open_buried(e); });
}

result<> routed_storage::list_buried(std::string_view id, const std::function<bool(const trash_entry&)>& each)
{
    return at(all_, id, [&](storage_place& p) { return p.storage->list_buried(id, each); });
}

result<> routed_guard::ready()
{
    auto own = all_.own();
    return own ? (*own)->guarded.ready() : failed(own);
}

result<> routed_guard::create_repository(std::string_view id)
{
    return at(all_, id, [&](storage_place& p) { return p.guarded.create_repository(id); });
}

result<std::unique_ptr<repo::incoming>> routed_guard::receive(const object_key& key, std::uint64_t most)
{
    return at(all_, key.repository_id, [&](storage_place& p) { return p.guarded.receive(key, most); });
}

result<std::unique_ptr<object_reader>> routed_guard::open(const object_key& key)
{
    return at(all_, key.repository_id, [&](storage_place& p) { return p.guarded.open(key); });
}

result<std::uint64_t> routed_guard::size(const object_key& key)
{
    return at(all_, key.repository_id, [&](storage_place& p) { return p.guarded.size(key); });
}

result<> routed_guard::remove(const object_key& key)
{
    return at(all_, key.repository_id, [&](storage_place& p) { return p.guarded.remove(key); });
}

result<std::unique_ptr<repo::object_list>> routed_guard::list(std::string_view id, repo::object_type type)
{
    return at(all_, id, [&](storage_place& p) { return p.guarded.list(id, type); });
}

} // namespace xentz::apps
