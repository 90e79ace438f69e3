#include "store_ledger.hpp"

#include "control/addresses.hpp"
#include "control/repository_credentials.hpp"
#include "repo/target.hpp"
#include "shared_room_book.hpp"

namespace xentz::apps {
namespace {

domain::repository_id repository_of(const repo::object_identity& o) { return {o.key.repository_id}; }

store::object_identity row_of(const repo::object_identity& o)
{
    return {std::string{name(o.key.type)}, o.key.name, o.hash, static_cast<std::int64_t>(o.bytes)};
}

// What is no id is not looked for: a database takes not every text.
std::optional<store::repository_credential> find_credential(store::fleet_store& store, std::string_view user)
{
    if (!repo::is_address_segment(user)) return std::nullopt;
    return store.find_credential(user);
}

} // namespace

std::optional<repo::access> store_ledger::open(const repo::address& a, std::string_view user, std::string_view secret)
{
    const auto repository = store_.find_repository(a.tenant, a.device, a.user);
    // A secret is derived and compared for an unknown address too, so that the time says nothing about it.
    const auto r = repository.value_or(store::repository{});
    // Any other user than the device is the id of a credential.
    std::optional<store::repository_credential> credential;
    if (!crypto::equal(a.device, user))
        credential = find_credential(store_, user).value_or(store::repository_credential{});
    const auto expected =
        credential ? control::credential_secret(key_, r, *credential) : control::repository_secret(key_, r);
    const bool fits = crypto::equal(expected, secret);
    if (!repository || !fits || !in_force(r, credential)) return std::nullopt;
    note_access(r.id);
    const auto mode = repo::parse_protection(store_.objects().rule_of(r.id).mode).value_or(repo::protection::guarded);
    return repo::access{.repository_id = r.id.text,
                        .initialised = r.initialised,
                        .mode = mode,
                        .shown = right_of(r.id, credential, mode)};
}

bool store_ledger::in_force(const store::repository& r, const std::optional<store::repository_credential>& c)
{
    if (c) return c->repository_id == r.id && !c->revoked_at && clock_.now() < c->expires_at;
    const auto device = store_.find_device(r.device_id);
    return device && !device->revoked_at;
}

repo::credential store_ledger::right_of(const domain::repository_id& id,
                                        const std::optional<store::repository_credential>& c, repo::protection mode)
{
    if (c) return c->kind == control::maintenance_kind ? repo::credential::maintenance : repo::credential::read_only;
    if (mode != repo::protection::append_only) return repo::credential::normal;
    const auto until = store_.objects().state(id).maintenance_until;
    return until && clock_.now() < *until ? repo::credential::maintenance : repo::credential::normal;
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
    arrivals_.arrived({repository_of(o), row_of(o), clock_.now(), storage_});
}

std::optional<std::int64_t> store_journal::departing(const repo::object_identity& o)
{
    return objects_.departing(repository_of(o), row_of(o), clock_.now(), false, storage_);
}

void store_journal::stayed(const repo::object_identity& o, std::int64_t place)
{
    objects_.stayed(repository_of(o), place);
}

repo::room store_room_source::room_of(const std::string& repository_id)
{
    return to_room(objects_.room_for_upload({repository_id}));
}

} // namespace xentz::apps
