#include "store/object_journal.hpp"

#include "store/journal_steps.hpp"

namespace xentz::store {
namespace {

constexpr const char* read_clock = "select trusted_at, swept_at from sweep_clock where id = 1";
constexpr const char* start_clock = "insert into sweep_clock (id, trusted_at, swept_at) values (1, $1, $2) "
                                    "on conflict (id) do nothing returning id";
constexpr const char* set_clock = "update sweep_clock set trusted_at = $1, swept_at = $2 "
                                  "where id = 1 and trusted_at = $3 and swept_at = $4 returning id";
constexpr const char* old_enough =
    "from object_life where repository_id = $1 and in_trash = 1 and left_at <= $2 and left_trusted <= $3 and "
    "first_place > coalesce((select max(h.place) from repository_hold h where h.repository_id = $1 and "
    "h.released_at is null), 0) order by left_place limit $4";
constexpr const char* update_budget =
    "update repository_state set purge_day = $2, purge_left = $3 where repository_id = $1";
constexpr const char* delete_history = "delete from object_life where repository_id = $1 and in_trash = 0 and "
                                       "left_place is not null and left_at < $2";
constexpr const char* take_samples =
    "insert into usage_sample (repository_id, day, live_objects, live_bytes, trash_bytes) "
    "select repository_id, cast($1 as bigint), live_objects, live_bytes, trash_bytes from repository_state where place "
    ">= 0 "
    "on conflict (repository_id, day) do update set live_objects = excluded.live_objects, "
    "live_bytes = excluded.live_bytes, trash_bytes = excluded.trash_bytes";
constexpr const char* samples_since = "from usage_sample where repository_id = $1 and day >= $2 order by day";

} // namespace

std::optional<object_journal::sweep_time> object_journal::sweep_clock()
{
    return db_->read([](sql::connection& c) -> std::optional<sweep_time> {
        const auto rows = c.query(read_clock);
        if (rows.empty()) return std::nullopt;
        return sweep_time{rows.get<base::time_point>(0, 0), rows.get<base::time_point>(0, 1)};
    });
}

bool object_journal::advance_sweep_clock(const std::optional<sweep_time>& expected, const sweep_time& next)
{
    return db_->write([&](sql::connection& c) {
        if (!expected) return !c.query(start_clock, next.trusted_at, next.swept_at).empty();
        return !c.query(set_clock, next.trusted_at, next.swept_at, expected->trusted_at, expected->swept_at).empty();
    });
}

std::vector<object_life> object_journal::purgeable(const domain::repository_id& id, base::time_point now,
                                                   base::time_point trusted, std::int64_t limit)
{
    return db_->read([&](sql::connection& c) {
        const auto days = std::chrono::days{detail::rule_for(c, id).trash_days};
        return c.select<object_life>(old_enough, id, now - days, trusted - days, limit);
    });
}

void object_journal::set_purge_budget(const domain::repository_id& id, std::int64_t day, std::int64_t left)
{
    db_->write([&](sql::connection& c) { c.query(update_budget, id, day, left); });
}

void object_journal::drop_history(const domain::repository_id& id, base::time_point before)
{
    db_->write([&](sql::connection& c) { c.query(delete_history, id, before); });
}

void object_journal::sample_usage(std::int64_t day)
{
    db_->write([&](sql::connection& c) { c.query(take_samples, day); });
}

std::vector<usage_sample> object_journal::samples(const domain::repository_id& id, std::int64_t from_day)
{
    return db_->read([&](sql::connection& c) { return c.select<usage_sample>(samples_since, id, from_day); });
}

} // namespace xentz::store
