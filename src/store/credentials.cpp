#include "store/fleet_store.hpp"

namespace xentz::store {

namespace {

constexpr const char* credential_by_id = "from repository_credential where id = $1";
constexpr const char* credentials_of_repository =
    "from repository_credential where repository_id = $1 order by created_at, id";
constexpr const char* mark_credential_revoked =
    "update repository_credential set revoked_at = coalesce(revoked_at, $1) where id = $2 returning id";
constexpr const char* raise_generation_by_one =
    "update repository set generation = generation + 1 where id = $1 returning generation";

} // namespace

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
