#include "store/fleet_store.hpp"
#include "store/statements.hpp"

namespace xentz::store {

namespace {

constexpr const char* credentials_of_repository =
    "from repository_credential where repository_id = $1 order by created_at, id";
constexpr const char* mark_credential_revoked =
    "update repository_credential set revoked_at = coalesce(revoked_at, $1) where id = $2 returning id";
constexpr const char* raise_generation_by_one =
    "update repository set generation = generation + 1 where id = $1 returning generation";

// The repository's row is locked first, so that two at once do not take the same number.
constexpr const char* lock_repository = "update repository set generation = generation where id = $1 returning id";
constexpr const char* next_number =
    "select coalesce(max(number), 0) + 1 from repository_password where repository_id = $1";
constexpr const char* update_custody = "update repository set custody = $1, custody_key = $2 where id = $3";
constexpr const char* passwords_of_repository =
    "from repository_password where repository_id = $1 order by number desc";

} // namespace

bool fleet_store::add_password(const domain::repository_id& id, const std::string& kind, const std::string& box,
                               base::time_point now, std::int64_t most)
{
    return db_->write([&](sql::connection& c) {
        c.query(lock_repository, id);
        const auto number = c.query(next_number, id).get<std::int64_t>(0, 0);
        if (number > most) return false;
        c.insert("repository_password", repository_password{id, number, kind, box, now});
        return true;
    });
}

void fleet_store::change_custody(const domain::repository_id& id, const std::string& custody,
                                 const std::optional<std::string>& custody_key)
{
    db_->write([&](sql::connection& c) { c.query(update_custody, custody, custody_key, id); });
}

std::vector<repository_password> fleet_store::passwords(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) { return c.select<repository_password>(passwords_of_repository, id); });
}

void fleet_store::add_credential(const repository_credential& r)
{
    db_->write([&](sql::connection& c) { c.insert("repository_credential", r); });
}

std::optional<repository_credential> fleet_store::find_credential(std::string_view id)
{
    return db_->read([&](sql::connection& c) { return c.find<repository_credential>(credential_by_id, id); });
}

std::vector<repository_credential> fleet_store::credentials(const domain::repository_id& id)
{
    return db_->read(
        [&](sql::connection& c) { return c.select<repository_credential>(credentials_of_repository, id); });
}

bool fleet_store::revoke_credential(const domain::credential_id& id, base::time_point now)
{
    return db_->write([&](sql::connection& c) { return !c.query(mark_credential_revoked, now, id).empty(); });
}

std::optional<std::int64_t> fleet_store::raise_generation(const domain::repository_id& id)
{
    return db_->write([&](sql::connection& c) {
        const auto rows = c.query(raise_generation_by_one, id);
        return rows.empty() ? std::optional<std::int64_t>{} : rows.get<std::int64_t>(0, 0);
    });
}

} // namespace xentz::store
