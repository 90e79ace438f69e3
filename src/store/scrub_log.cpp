#include "store/scrub_log.hpp"

namespace xentz::store {
namespace {

constexpr const char* the_row = "from scrub where id = 1";
constexpr const char* start =
    "insert into scrub (id, round, repository_id, place, objects, bytes, began_at, advanced_at, worker, ended_at, "
    "last_round_at) values (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing returning id";
constexpr const char* move_on =
    "update scrub set round = $1, repository_id = $2, place = $3, objects = $4, bytes = $5, began_at = $6, "
    "advanced_at = $7, worker = $8, ended_at = $9, last_round_at = $10 "
    "where id = 1 and worker = $11 and advanced_at = $12 and place = $13 and repository_id = $14 returning id";
constexpr const char* next_repository = "select min(id) as id from repository where id > $1";
constexpr const char* next_objects = "from object_life where repository_id = $1 and place > $2 and type <> 'locks' and "
                                     "(left_place is null or in_trash = 1) order by place limit $3";
constexpr const char* note_damage =
    "insert into object_damage (repository_id, place, how, found_at, seen_at) values ($1, $2, $3, $4, $5) "
    "on conflict (repository_id, place) do update set how = excluded.how, seen_at = excluded.seen_at";
constexpr const char* forget_damage = "delete from object_damage where repository_id = $1 and place = $2";
constexpr const char* all_damages = "from object_damage order by repository_id, place";
constexpr const char* life_at = "from object_life where repository_id = $1 and place = $2 and "
                                "(left_place is null or in_trash = 1)";

} // namespace

std::optional<scrub_position> scrub_log::position()
{
    return db_->read([](sql::connection& c) { return c.find<scrub_position>(the_row); });
}

bool scrub_log::advance(const std::optional<scrub_position>& expected, const scrub_position& n)
{
    return db_->write([&](sql::connection& c) {
        if (!expected)
            return !c.query(start, n.round, n.repository_id, n.place, n.objects, n.bytes, n.began_at, n.advanced_at,
                            n.worker, n.ended_at, n.last_round_at)
                        .empty();
        return !c.query(move_on, n.round, n.repository_id, n.place, n.objects, n.bytes, n.began_at, n.advanced_at,
                        n.worker, n.ended_at, n.last_round_at, expected->worker, expected->advanced_at, expected->place,
                        expected->repository_id)
                    .empty();
    });
}

std::optional<domain::repository_id> scrub_log::repository_after(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) -> std::optional<domain::repository_id> {
        const auto next = c.query(next_repository, id).get<std::optional<std::string>>(0, 0);
        if (!next) return std::nullopt;
        return domain::repository_id{*next};
    });
}

std::vector<object_life> scrub_log::objects_after(const domain::repository_id& id, std::int64_t place,
                                                  std::int64_t most)
{
    return db_->read([&](sql::connection& c) { return c.select<object_life>(next_objects, id, place, most); });
}

void scrub_log::damaged(const object_damage& d)
{
    db_->write(
        [&](sql::connection& c) { c.query(note_damage, d.repository_id, d.place, d.how, d.found_at, d.seen_at); });
}

void scrub_log::whole(const domain::repository_id& id, std::int64_t place)
{
    db_->write([&](sql::connection& c) { c.query(forget_damage, id, place); });
}

std::vector<damaged_object> scrub_log::damages(const std::optional<domain::repository_id>& only)
{
    return db_->read([&](sql::connection& c) {
        std::vector<damaged_object> out;
        for (auto& damage : c.select<object_damage>(all_damages)) {
            if (only && damage.repository_id != *only) continue;
            auto life = c.find<object_life>(life_at, damage.repository_id, damage.place);
            if (life) out.push_back({std::move(damage), std::move(*life)});
        }
        return out;
    });
}

} // namespace xentz::store
