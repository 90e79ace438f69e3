#include "store/fleet_store.hpp"

#include "store/migrations.hpp"

namespace xentz::store {

namespace {

constexpr const char* default_policy_name = "default";

constexpr const char* any_setting = "select name from setting limit 1";
constexpr const char* setting_by_name = "select value from setting where name = $1";
constexpr const char* insert_setting =
    "insert into setting (name, value) values ($1, $2) on conflict (name) do nothing returning name";

constexpr const char* upsert_setting =
    "insert into setting (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value";
constexpr const char* newest_epoch = "from epoch order by number desc limit 1";
constexpr const char* confirm_newest_epoch =
    "update epoch set confirmed_at = $1 where confirmed_at is null and number = (select max(number) from epoch) "
    "returning number";

constexpr const char* unless_name_taken = "on conflict (name) do nothing returning id";
// An id is meant before a name: a tenant that is named like another's id must not hide it.
constexpr const char* tenant_by_name_or_id =
    "from tenant where id = $1 or name = $1 order by case when id = $1 then 0 else 1 end limit 1";
constexpr const char* all_tenants = "from tenant order by created_at, id";
constexpr const char* update_custody_key = "update tenant set custody_key = $1 where id = $2";
constexpr const char* update_custody = "update tenant set custody = $1 where id = $2";

constexpr const char* or_replace_policy = "on conflict (tenant_id, name) do update "
                                          "set document = excluded.document, updated_at = excluded.updated_at";
constexpr const char* policy_by_name = "from policy where tenant_id = $1 and name = $2";
constexpr const char* all_policies = "from policy order by tenant_id, name";
constexpr const char* policies_of_tenant = "from policy where tenant_id = $1 order by name";

constexpr const char* all_tokens = "from install_token order by created_at, id";
constexpr const char* tokens_of_tenant = "from install_token where tenant_id = $1 order by created_at, id";
constexpr const char* token_by_hash = "from install_token where token_hash = $1";
constexpr const char* mark_token_revoked =
    "update install_token set revoked_at = coalesce(revoked_at, $1) where id = $2 returning id";
constexpr const char* mark_recovery_token_revoked =
    "update recovery_token set revoked_at = coalesce(revoked_at, $1) where id = $2 returning id";

constexpr const char* unless_email_taken = "on conflict (email) do nothing returning email";
constexpr const char* update_password = "update user_account set password_hash = $1 where email = $2 returning email";
constexpr const char* all_users = "from user_account order by created_at, email";

} // namespace

fleet_store::fleet_store(std::shared_ptr<sql::database> db) : db_(std::move(db)) {}

void fleet_store::migrate() { db_->migrate(migrations()); }

bool fleet_store::healthy()
{
    try {
        db_->read([](sql::connection& c) { c.query(any_setting); });
        return true;
    } catch (const sql::error& e) {
        if (e.code == sql::errc::shut) throw;
        return false;
    } catch (const std::exception&) {
        return false;
    }
}

std::optional<std::string> fleet_store::setting(std::string_view key)
{
    return db_->read([&](sql::connection& c) -> std::optional<std::string> {
        const auto rows = c.query(setting_by_name, key);
        if (rows.empty()) return std::nullopt;
        return rows.get<std::string>(0, 0);
    });
}

bool fleet_store::set_setting_once(std::string_view key, std::string_view value)
{
    return db_->write([&](sql::connection& c) { return !c.query(insert_setting, key, value).empty(); });
}

void fleet_store::set_setting(std::string_view key, std::string_view value)
{
    db_->write([&](sql::connection& c) { c.query(upsert_setting, key, value); });
}

std::optional<epoch> fleet_store::current_epoch()
{
    return db_->read([&](sql::connection& c) { return c.find<epoch>(newest_epoch); });
}

bool fleet_store::confirm_epoch(base::time_point now)
{
    return db_->write([&](sql::connection& c) { return !c.query(confirm_newest_epoch, now).empty(); });
}

bool fleet_store::add_tenant(const tenant& t, const std::string& default_policy_document)
{
    return db_->write([&](sql::connection& c) {
        if (c.insert("tenant", t, unless_name_taken).empty()) return false;
        c.insert("policy", policy{t.id, default_policy_name, default_policy_document, t.created_at});
        return true;
    });
}

std::optional<tenant> fleet_store::find_tenant(std::string_view name_or_id)
{
    return db_->read([&](sql::connection& c) { return c.find<tenant>(tenant_by_name_or_id, name_or_id); });
}

std::vector<tenant> fleet_store::tenants()
{
    return db_->read([&](sql::connection& c) { return c.select<tenant>(all_tenants); });
}

void fleet_store::set_custody(const domain::tenant_id& id, const std::string& custody)
{
    db_->write([&](sql::connection& c) { c.query(update_custody, custody, id); });
}

void fleet_store::set_custody_key(const domain::tenant_id& id, const std::string& public_key)
{
    db_->write([&](sql::connection& c) { c.query(update_custody_key, public_key, id); });
}

void fleet_store::put_policy(const policy& p)
{
    db_->write([&](sql::connection& c) { c.insert("policy", p, or_replace_policy); });
}

std::optional<policy> fleet_store::find_policy(const domain::tenant_id& tenant, std::string_view name)
{
    return db_->read([&](sql::connection& c) { return c.find<policy>(policy_by_name, tenant, name); });
}

std::vector<policy> fleet_store::policies(const std::optional<domain::tenant_id>& tenant)
{
    return db_->read([&](sql::connection& c) {
        return tenant ? c.select<policy>(policies_of_tenant, *tenant) : c.select<policy>(all_policies);
    });
}

void fleet_store::add_token(const install_token& t)
{
    db_->write([&](sql::connection& c) { c.insert("install_token", t); });
}

std::vector<install_token> fleet_store::tokens(const std::optional<domain::tenant_id>& tenant)
{
    return db_->read([&](sql::connection& c) {
        return tenant ? c.select<install_token>(tokens_of_tenant, *tenant) : c.select<install_token>(all_tokens);
    });
}

std::optional<install_token> fleet_store::find_token(std::string_view token_hash)
{
    return db_->read([&](sql::connection& c) { return c.find<install_token>(token_by_hash, token_hash); });
}

bool fleet_store::revoke_token(const domain::token_id& id, base::time_point now)
{
    return db_->write([&](sql::connection& c) {
        return !c.query(mark_token_revoked, now, id).empty() || !c.query(mark_recovery_token_revoked, now, id).empty();
    });
}

bool fleet_store::add_user(const user& u)
{
    return db_->write([&](sql::connection& c) { return !c.insert("user_account", u, unless_email_taken).empty(); });
}

bool fleet_store::set_user_password(std::string_view email, const std::string& password_hash)
{
    return db_->write([&](sql::connection& c) { return !c.query(update_password, password_hash, email).empty(); });
}

std::vector<user> fleet_store::users()
{
    return db_->read([&](sql::connection& c) { return c.select<user>(all_users); });
}

} // namespace xentz::store
