#include "store/fleet_store.hpp"
#include "store/statements.hpp"

namespace xentz::store {

namespace {

constexpr const char* all_recovery_tokens = "from recovery_token order by created_at, id";
constexpr const char* recovery_tokens_of_tenant =
    "from recovery_token where device_id in (select id from device where tenant_id = $1) order by created_at, id";
// The row stays locked until the transaction ends: of two calls with one token the second sees all that the first did.
constexpr const char* lock_token =
    "update recovery_token set revoked_at = revoked_at where token_hash = $1 returning id";
constexpr const char* recovery_token_by_hash = "from recovery_token where token_hash = $1";
constexpr const char* store_exchange =
    "update recovery_token set idempotency_key = $1, credential_id = $2 where id = $3";
constexpr const char* store_successor = "update recovery_token set successor_id = $1 where id = $2";
constexpr const char* hand_over =
    "update repository set device_id = $1, generation = generation + 1 where id = $2 returning generation";
constexpr const char* replace_unseen_key =
    "update device set key_hash = $1 where id = $2 and last_seen_at is null and revoked_at is null returning id";
constexpr const char* successor_by_device =
    "select successor_id from recovery_token where device_id = $1 and successor_id is not null";
constexpr const char* device_by_successor = "select device_id from recovery_token where successor_id = $1";

std::optional<recovery_token> locked_token(sql::connection& c, std::string_view token_hash)
{
    if (c.query(lock_token, token_hash).empty()) return std::nullopt;
    return c.find<recovery_token>(recovery_token_by_hash, token_hash);
}

bool holds(const repository_credential& r, base::time_point now) { return !r.revoked_at && r.expires_at > now; }

recovery_outcome make_credential_of(sql::connection& c, recovery_token t, const std::string& key,
                                    repository_credential fresh)
{
    fresh.repository_id = t.repository_id;
    c.insert("repository_credential", fresh);
    c.query(store_exchange, key, fresh.id, t.id);
    t.idempotency_key = key;
    t.credential_id = fresh.id;
    return {.state = recovery_state::usable, .token = std::move(t), .credential = std::move(fresh)};
}

// What a caller who has made the exchange may go on with; the outcome says why not.
recovery_outcome exchanged(sql::connection& c, std::optional<recovery_token> t, const std::string& key,
                           base::time_point now)
{
    if (!t) return {.state = recovery_state::unknown};
    if (t->revoked_at) return {.state = recovery_state::revoked};
    if (!t->idempotency_key || !t->credential_id) return {.state = recovery_state::not_exchanged};
    if (*t->idempotency_key != key) return {.state = recovery_state::used};
    auto credential = c.find<repository_credential>(credential_by_id, *t->credential_id);
    if (!credential || !holds(*credential, now)) return {.state = recovery_state::expired};
    return {.state = recovery_state::usable, .token = std::move(t), .credential = std::move(credential)};
}

recovery_outcome exchange_in(sql::connection& c, std::string_view token_hash, const std::string& key,
                             const repository_credential& fresh, base::time_point now)
{
    auto token = locked_token(c, token_hash);
    const bool is_new = token && !token->idempotency_key && !token->revoked_at;
    if (!is_new) return exchanged(c, std::move(token), key, now);
    if (token->expires_at <= now) return {.state = recovery_state::expired};
    return make_credential_of(c, std::move(*token), key, fresh);
}

enrolled stored_successor(sql::connection& c, const recovery_token& t)
{
    auto d = c.find<device>(device_by_id, *t.successor_id);
    auto r = c.find<repository>(repository_by_id, t.repository_id);
    if (!d || !r) throw sql::error(sql::errc::other, "the database lacks a device or repository of a take-over");
    return {std::move(*d), std::move(*r)};
}

enrolled make_successor(sql::connection& c, const recovery_token& t, const device& old, const device& fresh,
                        base::time_point now)
{
    auto successor = fresh;
    successor.tenant_id = old.tenant_id;
    successor.user_id = old.user_id;
    successor.hostname = old.hostname; // its name in the repository
    successor.include = old.include;
    successor.policy_name = old.policy_name;
    c.insert("device", successor);
    c.query(hand_over, successor.id, t.repository_id);
    c.query(mark_device_revoked, now, old.id);
    c.query(store_successor, successor.id, t.id);
    auto with = t;
    with.successor_id = successor.id;
    return stored_successor(c, with);
}

recovery_outcome take_over_in(sql::connection& c, std::string_view token_hash, const std::string& key,
                              const device& fresh, base::time_point now)
{
    auto out = exchanged(c, locked_token(c, token_hash), key, now);
    if (out.state != recovery_state::usable) return out;
    if (!out.token->allow_take_over) return {.state = recovery_state::not_allowed};
    if (out.token->successor_id) {
        if (c.query(replace_unseen_key, fresh.key_hash, *out.token->successor_id).empty())
            return {.state = recovery_state::used};
        out.result = stored_successor(c, *out.token);
        return out;
    }
    const auto old = c.find<device>(device_by_id, out.token->device_id);
    const auto r = c.find<repository>(repository_by_id, out.token->repository_id);
    if (!old || !r || r->device_id != old->id) return {.state = recovery_state::succeeded};
    out.result = make_successor(c, *out.token, *old, fresh, now);
    return out;
}

} // namespace

void fleet_store::add_recovery_token(const recovery_token& t)
{
    db_->write([&](sql::connection& c) { c.insert("recovery_token", t); });
}

std::optional<recovery_token> fleet_store::find_recovery_token(std::string_view token_hash)
{
    return db_->read([&](sql::connection& c) { return c.find<recovery_token>(recovery_token_by_hash, token_hash); });
}

std::vector<recovery_token> fleet_store::recovery_tokens(const std::optional<domain::tenant_id>& tenant)
{
    return db_->read([&](sql::connection& c) {
        return tenant ? c.select<recovery_token>(recovery_tokens_of_tenant, *tenant)
                      : c.select<recovery_token>(all_recovery_tokens);
    });
}

recovery_outcome fleet_store::exchange(std::string_view token_hash, const std::string& idempotency_key,
                                       const repository_credential& fresh, base::time_point now)
{
    return db_->write([&](sql::connection& c) { return exchange_in(c, token_hash, idempotency_key, fresh, now); });
}

recovery_outcome fleet_store::take_over(std::string_view token_hash, const std::string& idempotency_key,
                                        const device& fresh, base::time_point now)
{
    return db_->write([&](sql::connection& c) { return take_over_in(c, token_hash, idempotency_key, fresh, now); });
}

std::optional<domain::device_id> fleet_store::successor_of(const domain::device_id& id)
{
    return db_->read([&](sql::connection& c) {
        const auto rows = c.query(successor_by_device, id);
        return rows.empty() ? std::optional<domain::device_id>{} : rows.get<domain::device_id>(0, 0);
    });
}

std::optional<domain::device_id> fleet_store::predecessor_of(const domain::device_id& id)
{
    return db_->read([&](sql::connection& c) {
        const auto rows = c.query(device_by_successor, id);
        return rows.empty() ? std::optional<domain::device_id>{} : rows.get<domain::device_id>(0, 0);
    });
}

} // namespace xentz::store
