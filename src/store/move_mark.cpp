#include "store/move_mark.hpp"

namespace xentz::store {
namespace {

constexpr const char* table = "moved_away";
constexpr const char* upsert_mark = "insert into moved_away (id, moved_at, folder) values (1, $1, $2) "
                                    "on conflict (id) do update set folder = excluded.folder, export_hash = null";
constexpr const char* add_hash = "update moved_away set export_hash = $1";
constexpr const char* delete_mark = "delete from moved_away";

} // namespace

sql::gate move_mark::gate() { return {table, "this control plane was moved to another database"}; }

std::optional<moved_away> move_mark::find()
{
    return db_->read([](sql::connection& c) { return c.find<moved_away>("from moved_away"); });
}

void move_mark::set(base::time_point moved_at, const std::string& folder)
{
    db_->write_alone(table, [&](sql::connection& c) { c.query(upsert_mark, moved_at, folder); });
}

void move_mark::complete(const std::string& export_hash)
{
    db_->write([&](sql::connection& c) { c.query(add_hash, export_hash); });
}

void move_mark::clear()
{
    db_->write_alone(table, [](sql::connection& c) { c.query(delete_mark); });
}

} // namespace xentz::store
