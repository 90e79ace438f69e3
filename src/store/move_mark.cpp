#include "store/move_mark.hpp"

namespace xentz::store {
namespace {

constexpr const char* table = "moved_away";
constexpr const char* upsert_mark = "insert into moved_away (id, moved_at, folder) values (1, $1, $2) "
                                    "on conflict (id) do update set folder = excluded.folder";
constexpr const char* delete_mark = "delete from moved_away";

} // namespace

sql::gate move_mark::gate() { return {table, "this control plane was moved to another database"}; }

std::optional<moved_away> move_mark::find()
{
    return db_->read([](sql::connection& c) { return c.find<moved_away>("from moved_away"); });
}

void move_mark::set(const moved_away& m)
{
    db_->write_alone(table, [&](sql::connection& c) { c.query(upsert_mark, m.moved_at, m.folder); });
}

void move_mark::clear()
{
    db_->write_alone(table, [](sql::connection& c) { c.query(delete_mark); });
}

} // namespace xentz::store
