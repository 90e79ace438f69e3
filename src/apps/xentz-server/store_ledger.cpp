#include "store_ledger.hpp"

#include "control/addresses.hpp"

namespace xentz::apps {
namespace {

domain::repository_id repository_of(const repo::object_identity& o) { return {o.key.repository_id}; }

store::object_identity row_of(const repo::object_identity& o)
{
    return {std::string{name(o.key.type)}, o.key.name, o.hash, static_cast<std::int64_t>(o.bytes)};
}

} // namespace

std::optional<repo::access> store_ledger::open(const repo::address& a, std::string_view user, std::string_view secret)
{
    const auto repository = store_.find_repository(a.tenant, a.device, a.user);
    // A secret is derived and compared for an unknown address too, so that the time says nothing about it.
    const auto expected = control::repository_secret(key_, repository.value_or(store::repository{}));
    const bool fits = crypto::equal(expected, secret) && crypto::equal(a.device, user);
    if (!repository || !fits) return std::nullopt;
    const auto device = store_.find_device(repository->device_id);
    if (!device || device->revoked_at) return std::nullopt;
    note_access(repository->id);
    const auto rule = store_.objects().rule_of(repository->id);
    return repo::access{.repository_id = repository->id.text,
                        .initialised = repository->initialised,
                        .mode = repo::parse_protection(rule.mode).value_or(repo::protection::guarded)};
}

// Not with each request: it is for people.
void store_ledger::note_access(const domain::repository_id& id)
{
    constexpr auto pause = std::chrono::minutes{1};
    {
        const std::lock_guard guard{mutex_};
        const auto now = clock_.elapsed();
        const auto [at, first] = noted_.try_emplace(id.text, now);
        if (!first && now - at->second < pause) return;
        at->second = now;
    }
    store_.objects().touch(id, clock_.now());
}

void store_ledger::set_initialised(std::string_view repository_id, bool initialised)
{
    store_.set_initialised(domain::repository_id{std::string{repository_id}}, initialised);
}

void store_journal::arrived(const repo::object_identity& o)
{
    objects_.arrived(repository_of(o), row_of(o), clock_.now());
}

std::optional<std::int64_t> store_journal::departing(const repo::object_identity& o)
{
    return objects_.departing(repository_of(o), row_of(o), clock_.now());
}

void store_journal::stayed(const repo::object_identity& o, std::int64_t place)
{
    objects_.stayed(repository_of(o), place);
}

repo::room store_room_book::room_of(const std::string& repository_id)
{
    const auto bytes = [](std::int64_t n) { return n < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(n); };
    const auto limit = [&](const std::optional<std::int64_t>& n) {
        return n ? std::optional{bytes(*n)} : std::optional<std::uint64_t>{};
    };
    const auto r = objects_.room_of({repository_id});
    return {.tenant = r.tenant.text,
            .live = bytes(r.live_bytes),
            .trash = bytes(r.trash_bytes),
            .tenant_live = bytes(r.tenant_live_bytes),
            .tenant_trash = bytes(r.tenant_trash_bytes),
            .quota = limit(r.rule.quota_bytes),
            .tenant_quota = limit(r.rule.tenant_quota_bytes),
            .trash_factor = bytes(r.rule.trash_factor)};
}

} // namespace xentz::apps
