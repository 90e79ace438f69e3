#include "store/fleet_store.hpp"
#include "store/statements.hpp"

namespace xentz::store {

namespace {

constexpr const char* token_by_hash = "from install_token where token_hash = $1";
// The row stays locked until the transaction ends, so that of two calls with one token the second sees all that the
// first did.
constexpr const char* take_use = "update install_token set uses_left = uses_left - 1 "
                                 "where id = $1 and uses_left > 0 and revoked_at is null and expires_at > $2 "
                                 "returning id";
constexpr const char* give_use_back = "update install_token set uses_left = uses_left + 1 where id = $1";

constexpr const char* earlier_enrolment =
    "select device_id from enrolment where token_id = $1 and idempotency_key = $2";
constexpr const char* insert_enrolment =
    "insert into enrolment (device_id, token_id, idempotency_key) values ($1, $2, $3)";
constexpr const char* replace_unseen_key = "update device set key_hash = $1 where id = $2 and last_seen_at is null "
                                           "and revoked_at is null and enrolled_at >= $3 returning id";

constexpr const char* device_by_key = "from device where key_hash = $1";
constexpr const char* all_devices = "from device order by enrolled_at, id";
constexpr const char* devices_of_tenant = "from device where tenant_id = $1 order by enrolled_at, id";
constexpr const char* update_last_seen =
    "update device set last_seen_at = $1 where id = $2 and (last_seen_at is null or last_seen_at < $1)";
constexpr const char* update_enabled = "update device set enabled = $1 where id = $2 returning id";
constexpr const char* upsert_backup_request =
    "insert into backup_request (device_id, request_id, requested_at) values ($1, $2, $3) on conflict (device_id) "
    "do update set request_id = excluded.request_id, requested_at = excluded.requested_at";
constexpr const char* backup_request_by_device = "from backup_request where device_id = $1";
constexpr const char* update_policy_name =
    "update device set policy_name = $1 where id = $2 and exists "
    "(select 1 from policy p where p.tenant_id = device.tenant_id and p.name = $1) returning id";

constexpr const char* repository_by_device =
    "from repository where device_id = $1 order by created_at desc, id desc limit 1";
constexpr const char* repository_by_address =
    "from repository where tenant_id = $1 and device_id = $2 and user_id = $3";
constexpr const char* all_repositories = "from repository order by created_at, id";
constexpr const char* update_initialised = "update repository set initialised = $1 where id = $2";

// Why a token gave no use.
token_state refusal_of(const install_token& t, base::time_point now)
{
    if (t.revoked_at) return token_state::revoked;
    return t.uses_left > 0 && t.expires_at <= now ? token_state::expired : token_state::used;
}

enrolled stored_enrolment(sql::connection& c, const domain::device_id& id)
{
    auto d = c.find<device>(device_by_id, id);
    auto r = c.find<repository>(repository_by_device, id);
    if (!d || !r) throw sql::error(sql::errc::other, "the database lacks a device or repository of an enrolment");
    return {std::move(*d), std::move(*r)};
}

enrol_outcome repeat_enrolment(sql::connection& c, const domain::device_id& id, const std::string& key_hash,
                               base::time_point window_start)
{
    const bool replaced = !c.query(replace_unseen_key, key_hash, id, window_start).empty();
    if (!replaced) return {.token = token_state::usable, .already_confirmed = true};
    return {.token = token_state::usable, .result = stored_enrolment(c, id)};
}

enrolled store_enrolment(sql::connection& c, const install_token& t, const new_enrolment& e)
{
    auto out = enrolled{e.fresh_device, e.fresh_repository};
    out.device.tenant_id = t.tenant_id;
    out.device.policy_name = t.policy_name;
    out.repository.tenant_id = t.tenant_id;
    out.repository.device_id = out.device.id;
    c.insert("device", out.device);
    c.insert("repository", out.repository);
    c.query(insert_enrolment, out.device.id, t.id, e.idempotency_key);
    return out;
}

enrol_outcome enrol_in(sql::connection& c, const new_enrolment& e, base::time_point now, base::time_point window_start)
{
    auto token = c.find<install_token>(token_by_hash, e.token_hash);
    if (!token) return {.token = token_state::unknown};
    const bool taken = !c.query(take_use, token->id, now).empty();
    auto state = token_state::usable;
    if (!taken) {
        // Read again: it may have been used up or revoked since it was read, while the update waited for its turn.
        token = c.find<install_token>(token_by_hash, e.token_hash);
        state = token ? refusal_of(*token, now) : token_state::unknown;
        if (state == token_state::revoked || state == token_state::unknown) return {.token = state};
    }
    // Only now: whoever held the token's row has finished. A retry is served although the token is used up or expired.
    if (e.idempotency_key) {
        const auto earlier = c.query(earlier_enrolment, token->id, *e.idempotency_key);
        if (!earlier.empty()) {
            if (taken) c.query(give_use_back, token->id);
            return repeat_enrolment(c, earlier.get<domain::device_id>(0, 0), e.fresh_device.key_hash, window_start);
        }
    }
    if (!taken) return {.token = state};
    return {.token = state, .result = store_enrolment(c, *token, e)};
}

} // namespace

enrol_outcome fleet_store::enrol(const new_enrolment& e, base::time_point now, std::chrono::minutes retry_window)
{
    return db_->write([&](sql::connection& c) { return enrol_in(c, e, now, now - retry_window); });
}

std::optional<device> fleet_store::find_device(const domain::device_id& id)
{
    return db_->read([&](sql::connection& c) { return c.find<device>(device_by_id, id); });
}

std::optional<device> fleet_store::find_device_by_key(std::string_view key_hash)
{
    return db_->read([&](sql::connection& c) { return c.find<device>(device_by_key, key_hash); });
}

std::vector<device> fleet_store::devices(const std::optional<domain::tenant_id>& tenant)
{
    return db_->read([&](sql::connection& c) {
        return tenant ? c.select<device>(devices_of_tenant, *tenant) : c.select<device>(all_devices);
    });
}

void fleet_store::touch_device(const domain::device_id& id, base::time_point now)
{
    db_->write([&](sql::connection& c) { c.query(update_last_seen, now, id); });
}

bool fleet_store::set_device_enabled(const domain::device_id& id, bool enabled)
{
    return db_->write([&](sql::connection& c) { return !c.query(update_enabled, enabled, id).empty(); });
}

void fleet_store::request_backup(const backup_request& r)
{
    db_->write([&](sql::connection& c) { c.query(upsert_backup_request, r.device_id, r.request_id, r.requested_at); });
}

std::optional<backup_request> fleet_store::backup_request_of(const domain::device_id& id)
{
    return db_->read([&](sql::connection& c) { return c.find<backup_request>(backup_request_by_device, id); });
}

bool fleet_store::revoke_device(const domain::device_id& id, base::time_point now)
{
    return db_->write([&](sql::connection& c) { return !c.query(mark_device_revoked, now, id).empty(); });
}

bool fleet_store::set_device_policy(const domain::device_id& id, std::string_view policy_name)
{
    return db_->write([&](sql::connection& c) { return !c.query(update_policy_name, policy_name, id).empty(); });
}

std::optional<repository> fleet_store::repository_of(const domain::device_id& id)
{
    return db_->read([&](sql::connection& c) { return c.find<repository>(repository_by_device, id); });
}

std::vector<repository> fleet_store::repositories()
{
    return db_->read([&](sql::connection& c) { return c.select<repository>(all_repositories); });
}

std::optional<repository> fleet_store::find_repository(std::string_view tenant_id, std::string_view device_id,
                                                       std::string_view user_id)
{
    return db_->read(
        [&](sql::connection& c) { return c.find<repository>(repository_by_address, tenant_id, device_id, user_id); });
}

std::optional<repository> fleet_store::find_repository(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) { return c.find<repository>(repository_by_id, id); });
}

void fleet_store::set_initialised(const domain::repository_id& id, bool initialised)
{
    db_->write([&](sql::connection& c) { c.query(update_initialised, initialised, id); });
}

} // namespace xentz::store
