#include "store/journal_steps.hpp"
#include "store/object_journal.hpp"

namespace xentz::store {
namespace {

using detail::count;

constexpr const char* rule_by_owner = "from storage_rule where owner = $1";
constexpr const char* or_replace_rule =
    "on conflict (owner) do update set mode = excluded.mode, trash_days = excluded.trash_days, "
    "quota_bytes = excluded.quota_bytes, repository_quota_bytes = excluded.repository_quota_bytes, "
    "trash_factor = excluded.trash_factor";
constexpr const char* update_maintenance =
    "insert into repository_state (repository_id, place, live_objects, live_bytes, trash_objects, trash_bytes, "
    "maintenance_until, purge_day, purge_left) values ($1, 0, 0, 0, 0, 0, $2, 0, 0) "
    "on conflict (repository_id) do update set maintenance_until = excluded.maintenance_until";
constexpr const char* state_by_id = "from repository_state where repository_id = $1";
constexpr const char* all_states = "from repository_state order by repository_id";
constexpr const char* by_type =
    "select type, "
    "cast(sum(case when left_place is null then 1 else 0 end) as bigint) as live_objects, "
    "cast(sum(case when left_place is null then bytes else 0 end) as bigint) as live_bytes, "
    "cast(sum(in_trash) as bigint) as trash_objects, "
    "cast(sum(case when in_trash = 1 then bytes else 0 end) as bigint) as trash_bytes, "
    "max(case when left_place is null then came_at end) as newest_at "
    "from object_life where repository_id = $1 group by type order by type";
// The first place at or after an instant, of what came and of what left.
constexpr const char* first_since = "select min(p) from (select min(place) as p from object_life where "
                                    "repository_id = $1 and came_at >= $2 union all "
                                    "select min(left_place) as p from object_life where repository_id = $1 and "
                                    "left_at >= $2) as both_ends";
constexpr const char* last_place = "select place from repository_state where repository_id = $1";

constexpr const char* since = "from object_life where repository_id = $1 and type <> 'locks' and "
                              "(left_place > $2 or (place > $2 and left_place is null)) order by place";
constexpr const char* present_between = "from object_life where repository_id = $1 and type = $2 and name >= $3 and "
                                        "name < $4 and left_place is null";

constexpr const char* take_out_of_trash = "update object_life set in_trash = 0 where repository_id = $1 and "
                                          "place = $2 and in_trash = 1 returning place";
constexpr const char* end_life =
    "update object_life set left_place = $3, left_at = $4 where repository_id = $1 and place = $2";
constexpr const char* put_into_trash = "update object_life set in_trash = 1 where repository_id = $1 and place = $2";
constexpr const char* delete_life = "delete from object_life where repository_id = $1 and place = $2";

constexpr const char* all_holds = "from repository_hold where repository_id = $1 order by place";
constexpr const char* mark_released = "update repository_hold set released_at = $3 where repository_id = $1 and "
                                      "place = $2 and released_at is null returning place";
constexpr const char* highest_hold =
    "select max(place) from repository_hold where repository_id = $1 and released_at is null";

std::optional<std::int64_t> bring_back(sql::connection& c, const domain::repository_id& id, std::int64_t trash_place,
                                       base::time_point now)
{
    detail::take_turn(c, id);
    const auto old = detail::life_at(c, id, trash_place);
    if (!old || !old->in_trash || detail::present_life(c, id, old->type, old->name)) return std::nullopt;
    const auto place = detail::next_place(c, id);
    c.query(take_out_of_trash, id, trash_place);
    auto life = *old;
    life.place = place;
    life.came_at = now;
    life.left_place.reset();
    life.left_at.reset();
    life.left_trusted.reset();
    life.in_trash = false;
    c.insert("object_life", life);
    count(c, id, {1, life.bytes, -1, -life.bytes});
    return place;
}

} // namespace

effective_rule object_journal::rule_of(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) { return detail::rule_for(c, id); });
}

std::optional<storage_rule> object_journal::rule(std::string_view owner)
{
    return db_->read([&](sql::connection& c) { return c.find<storage_rule>(rule_by_owner, owner); });
}

void object_journal::put_rule(const storage_rule& r)
{
    db_->write([&](sql::connection& c) { c.insert("storage_rule", r, or_replace_rule); });
}

void object_journal::set_maintenance(const domain::repository_id& id, const std::optional<base::time_point>& until)
{
    db_->write([&](sql::connection& c) { c.query(update_maintenance, id, until); });
}

repository_state object_journal::state(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) {
        auto found = c.find<repository_state>(state_by_id, id);
        return found ? std::move(*found) : repository_state{.repository_id = id};
    });
}

std::vector<repository_state> object_journal::states()
{
    return db_->read([&](sql::connection& c) { return c.select<repository_state>(all_states); });
}

std::vector<type_usage> object_journal::usage_by_type(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) { return c.query(by_type, id).as<type_usage>(); });
}

std::int64_t object_journal::place_before(const domain::repository_id& id, base::time_point t)
{
    return db_->read([&](sql::connection& c) -> std::int64_t {
        const auto first = c.query(first_since, id, t).get<std::optional<std::int64_t>>(0, 0);
        if (first) return *first - 1;
        const auto last = c.query(last_place, id);
        return last.empty() ? 0 : last.get<std::int64_t>(0, 0);
    });
}

std::vector<object_life> object_journal::changes_since(const domain::repository_id& id, std::int64_t place)
{
    return db_->read([&](sql::connection& c) { return c.select<object_life>(since, id, place); });
}

std::vector<object_life> object_journal::in_trash(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) { return c.select<object_life>(detail::whole_trash, id); });
}

std::vector<object_life> object_journal::present(const domain::repository_id& id, std::string_view type,
                                                 std::string_view from_name, std::string_view below_name)
{
    return db_->read(
        [&](sql::connection& c) { return c.select<object_life>(present_between, id, type, from_name, below_name); });
}

std::optional<object_life> object_journal::present(const domain::repository_id& id, std::string_view type,
                                                   std::string_view name)
{
    return db_->read([&](sql::connection& c) { return detail::present_life(c, id, type, name); });
}

std::optional<object_life> object_journal::life(const domain::repository_id& id, std::int64_t place)
{
    return db_->read([&](sql::connection& c) { return detail::life_at(c, id, place); });
}

std::optional<std::int64_t> object_journal::returned(const domain::repository_id& id, std::int64_t trash_place,
                                                     base::time_point now)
{
    return db_->write([&](sql::connection& c) { return bring_back(c, id, trash_place, now); });
}

void object_journal::not_returned(const domain::repository_id& id, std::int64_t new_place, std::int64_t trash_place)
{
    db_->write([&](sql::connection& c) {
        detail::take_turn(c, id);
        const auto life = detail::life_at(c, id, new_place);
        if (!life || life->left_place) return;
        c.query(delete_life, id, new_place);
        c.query(put_into_trash, id, trash_place);
        count(c, id, {-1, -life->bytes, 1, life->bytes});
    });
}

repository_hold object_journal::hold(const domain::repository_id& id, std::string_view reason, base::time_point now)
{
    return db_->write([&](sql::connection& c) {
        repository_hold h{
            .repository_id = id, .place = detail::next_place(c, id), .held_at = now, .reason = std::string{reason}};
        c.insert("repository_hold", h);
        return h;
    });
}

bool object_journal::release(const domain::repository_id& id, std::int64_t place, base::time_point now)
{
    return db_->write([&](sql::connection& c) { return !c.query(mark_released, id, place, now).empty(); });
}

std::vector<repository_hold> object_journal::holds(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) { return c.select<repository_hold>(all_holds, id); });
}

bool object_journal::purged(const domain::repository_id& id, std::int64_t place)
{
    return db_->write([&](sql::connection& c) {
        // A hold that is made meanwhile comes before or after, never between.
        detail::take_turn(c, id);
        const auto life = detail::life_at(c, id, place);
        if (!life || !life->in_trash) return false;
        const auto held = c.query(highest_hold, id).get<std::optional<std::int64_t>>(0, 0);
        if (held && life->first_place <= *held) return false;
        c.query(take_out_of_trash, id, place);
        count(c, id, {.trash_objects = -1, .trash_bytes = -life->bytes});
        return true;
    });
}

void object_journal::lost(const domain::repository_id& id, std::int64_t place, base::time_point now,
                          const storage_of_bytes& on)
{
    db_->write([&](sql::connection& c) {
        const auto own_place = detail::next_place(c, id);
        detail::require_storage(c, id, on, now);
        const auto life = detail::life_at(c, id, place);
        if (!life || (life->left_place && !life->in_trash)) return;
        if (life->in_trash) {
            c.query(take_out_of_trash, id, place);
            count(c, id, {.trash_objects = -1, .trash_bytes = -life->bytes});
            return;
        }
        c.query(end_life, id, place, own_place, now);
        count(c, id, {.live_objects = -1, .live_bytes = -life->bytes});
    });
}

std::vector<object_life> object_journal::lives_of(const domain::repository_id& id, std::string_view type,
                                                  std::string_view hash)
{
    return db_->read([&](sql::connection& c) { return c.select<object_life>(detail::lives_by_hash, id, type, hash); });
}

bool object_journal::adopt_trash(const domain::repository_id& id, std::int64_t place, const object_identity& o,
                                 base::time_point now, const storage_of_bytes& on)
{
    return db_->write([&](sql::connection& c) {
        auto left_place = detail::next_place(c, id);
        detail::require_storage(c, id, on, now);
        if (detail::life_at(c, id, place)) return false;
        object_life life;
        life.repository_id = id;
        life.place = life.first_place = place;
        life.type = o.type;
        life.name = o.name;
        life.hash = o.hash;
        life.bytes = o.bytes;
        life.came_at = now;
        life.left_place = left_place;
        // A database that was put back from an older copy would give out this place again.
        while (*life.left_place <= place) life.left_place = detail::next_place(c, id);
        life.left_at = now;
        life.left_trusted = detail::trusted_time(c, now);
        life.in_trash = true;
        c.insert("object_life", life);
        count(c, id, {.trash_objects = 1, .trash_bytes = life.bytes});
        return true;
    });
}

} // namespace xentz::store
