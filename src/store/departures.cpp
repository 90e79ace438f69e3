#include "store/object_journal.hpp"

namespace xentz::store {
namespace {

constexpr const char* gone_since =
    "select l.type as type, cast(count(*) as bigint) as objects, cast(sum(l.bytes) as bigint) as bytes "
    "from object_life l where l.repository_id = $1 and l.left_place > $2 and l.type <> 'locks' and not exists "
    "(select 1 from object_life p where p.repository_id = l.repository_id and p.type = l.type and p.name = l.name and "
    "p.hash = l.hash and p.left_place is null) group by l.type order by l.type";
constexpr const char* seen_since =
    "select hash, min(came_at) as came_at, max(case when left_place is null then 1 else 0 end) as present "
    "from object_life where repository_id = $1 and type = 'snapshots' group by hash "
    "having max(case when left_place is null or left_place > $2 then 1 else 0 end) = 1 order by min(came_at), hash";

} // namespace

std::vector<departures> object_journal::departures_since(const domain::repository_id& id, std::int64_t place)
{
    return db_->read([&](sql::connection& c) { return c.query(gone_since, id, place).as<departures>(); });
}

std::vector<snapshot_life> object_journal::snapshots_since(const domain::repository_id& id, std::int64_t place)
{
    return db_->read([&](sql::connection& c) { return c.query(seen_since, id, place).as<snapshot_life>(); });
}

} // namespace xentz::store
