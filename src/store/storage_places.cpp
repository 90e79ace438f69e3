#include "store/storage_places.hpp"

#include "store/journal_steps.hpp"

namespace xentz::store {
namespace {

constexpr const char* all_storages = "from storage order by id";
constexpr const char* storage_by_id = "from storage where id = $1";
constexpr const char* storage_by_id_or_address = "select 1 from storage where id = $1 or address = $2";
constexpr const char* update_address = "update storage set address = $2 where id = $1";
constexpr const char* place_of = "select storage_id from repository_storage where repository_id = $1";
constexpr const char* repositories_on =
    "select repository_id from repository_storage where storage_id = $1 order by repository_id";
constexpr const char* set_closed =
    "insert into repository_storage (repository_id, storage_id, closed_until) values ($1, '', $2) "
    "on conflict (repository_id) do update set closed_until = excluded.closed_until";
constexpr const char* place_if_same =
    "update repository_state set place = place + 1 where repository_id = $1 and place = $2 returning place";
constexpr const char* set_place =
    "insert into repository_storage (repository_id, storage_id, closed_until) values ($1, $2, $3) on conflict "
    "(repository_id) do update set storage_id = excluded.storage_id, closed_until = excluded.closed_until";

} // namespace

std::vector<storage_row> storage_places::all()
{
    return db_->read([&](sql::connection& c) { return c.select<storage_row>(all_storages); });
}

std::optional<storage_row> storage_places::find(const std::string& id)
{
    return db_->read([&](sql::connection& c) { return c.find<storage_row>(storage_by_id, id); });
}

bool storage_places::add(const storage_row& s)
{
    return db_->write([&](sql::connection& c) {
        if (!c.query(storage_by_id_or_address, s.id, s.address).empty()) return false;
        c.insert("storage", s);
        return true;
    });
}

void storage_places::set_address(const std::string& id, const std::string& address)
{
    db_->write([&](sql::connection& c) { c.query(update_address, id, address); });
}

std::string storage_places::storage_of(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) {
        const auto rows = c.query(place_of, id);
        return rows.empty() ? std::string{} : rows.get<std::string>(0, 0);
    });
}

std::vector<domain::repository_id> storage_places::on(const std::string& storage_id)
{
    return db_->read([&](sql::connection& c) {
        const auto rows = c.query(repositories_on, storage_id);
        std::vector<domain::repository_id> out;
        out.reserve(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.get<domain::repository_id>(i, 0));
        return out;
    });
}

void storage_places::close(const domain::repository_id& id, base::time_point until)
{
    db_->write([&](sql::connection& c) { c.query(set_closed, id, until); });
}

void storage_places::open(const domain::repository_id& id)
{
    db_->write([&](sql::connection& c) { c.query(set_closed, id, std::nullopt); });
}

bool storage_places::move_to(const domain::repository_id& id, const std::string& storage_id, std::int64_t place,
                             base::time_point now)
{
    return db_->write([&](sql::connection& c) {
        detail::take_turn(c, id);
        if (c.query(place_if_same, id, place).empty()) return false;
        c.query(set_place, id, storage_id, now + 2 * believed_for);
        return true;
    });
}

} // namespace xentz::store
