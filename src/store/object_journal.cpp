#include "store/object_journal.hpp"

#include "store/journal_steps.hpp"

#include <algorithm>
#include <span>

namespace xentz::store {

using detail::count;
using detail::next_place;

namespace detail {

namespace {

constexpr const char* make_state =
    "insert into repository_state (repository_id, place, live_objects, live_bytes, trash_objects, trash_bytes, "
    "purge_day, purge_left) values ($1, 0, 0, 0, 0, 0, 0, 0) on conflict (repository_id) do nothing";
constexpr const char* hold_state = "update repository_state set place = place where repository_id = $1 returning place";
constexpr const char* take_place =
    "update repository_state set place = place + 1 where repository_id = $1 returning place";
constexpr const char* add_to_state =
    "update repository_state set live_objects = live_objects + $2, live_bytes = live_bytes + $3, "
    "trash_objects = trash_objects + $4, trash_bytes = trash_bytes + $5 where repository_id = $1";
constexpr const char* present_by_name =
    "from object_life where repository_id = $1 and type = $2 and name = $3 and left_place is null";
constexpr const char* life_by_place = "from object_life where repository_id = $1 and place = $2";
constexpr const char* rules_for =
    "from storage_rule where owner = $1 or owner = (select tenant_id from repository where id = $1)";
constexpr const char* trusted = "select trusted_at from sweep_clock where id = 1";
// One statement, so that what is on its way from a reservation to an object is counted once.
constexpr const char* sums =
    "select r.tenant_id, "
    "coalesce((select live_bytes from repository_state where repository_id = $1), 0), "
    "coalesce((select trash_bytes from repository_state where repository_id = $1), 0), "
    "coalesce((select cast(sum(bytes) as bigint) from upload_reservation where repository_id = $1), 0), "
    "coalesce((select cast(sum(s.live_bytes) as bigint) from repository o join repository_state s "
    "on s.repository_id = o.id where o.tenant_id = r.tenant_id), 0), "
    "coalesce((select cast(sum(s.trash_bytes) as bigint) from repository o join repository_state s "
    "on s.repository_id = o.id where o.tenant_id = r.tenant_id), 0), "
    "coalesce((select cast(sum(u.bytes) as bigint) from repository o join upload_reservation u "
    "on u.repository_id = o.id where o.tenant_id = r.tenant_id), 0) "
    "from repository r where r.id = $1";
constexpr const char* where_it_lies =
    "select storage_id, closed_until from repository_storage where repository_id = $1";

} // namespace

std::int64_t take_turn(sql::connection& c, const domain::repository_id& id)
{
    auto held = c.query(hold_state, id);
    if (held.empty()) {
        c.query(make_state, id);
        held = c.query(hold_state, id); // somebody else may have made it
    }
    return held.get<std::int64_t>(0, 0);
}

std::int64_t next_place(sql::connection& c, const domain::repository_id& id)
{
    auto rows = c.query(take_place, id);
    if (rows.empty()) {
        c.query(make_state, id);
        rows = c.query(take_place, id);
    }
    return rows.get<std::int64_t>(0, 0);
}

void count(sql::connection& c, const domain::repository_id& id, const change& by)
{
    c.query(add_to_state, id, by.live_objects, by.live_bytes, by.trash_objects, by.trash_bytes);
}

std::optional<object_life> present_life(sql::connection& c, const domain::repository_id& id, std::string_view type,
                                        std::string_view name)
{
    return c.find<object_life>(present_by_name, id, type, name);
}

std::optional<object_life> life_at(sql::connection& c, const domain::repository_id& id, std::int64_t place)
{
    return c.find<object_life>(life_by_place, id, place);
}

effective_rule rule_for(sql::connection& c, const domain::repository_id& id)
{
    effective_rule out;
    storage_rule own;
    storage_rule of_tenant;
    for (auto& r : c.select<storage_rule>(rules_for, id)) (r.owner == id.text ? own : of_tenant) = r;
    const auto first = [](const auto& a, const auto& b) { return a ? a : b; };
    if (const auto mode = first(own.mode, of_tenant.mode)) out.mode = *mode;
    if (const auto days = first(own.trash_days, of_tenant.trash_days)) out.trash_days = *days;
    if (const auto factor = first(own.trash_factor, of_tenant.trash_factor)) out.trash_factor = *factor;
    out.quota_bytes = first(own.quota_bytes, of_tenant.repository_quota_bytes);
    out.tenant_quota_bytes = of_tenant.quota_bytes;
    return out;
}

room room_for(sql::connection& c, const domain::repository_id& id)
{
    room out;
    out.rule = rule_for(c, id);
    const auto row = c.query(sums, id);
    if (row.empty()) return out;
    out.tenant = row.get<domain::tenant_id>(0, 0);
    std::size_t column = 1;
    for (auto* sum : {&out.live_bytes, &out.trash_bytes, &out.reserved_bytes, &out.tenant_live_bytes,
                      &out.tenant_trash_bytes, &out.tenant_reserved_bytes})
        *sum = row.get<std::int64_t>(0, column++);
    return out;
}

void require_storage(sql::connection& c, const domain::repository_id& id, const storage_of_bytes& on,
                     base::time_point now)
{
    if (!on) return;
    const auto row = c.query(where_it_lies, id);
    if (row.empty() && on->empty()) return;
    const auto closed_until = row.empty() ? std::nullopt : row.get<std::optional<base::time_point>>(0, 1);
    if (!row.empty() && row.get<std::string>(0, 0) == *on && !(closed_until && now < *closed_until)) return;
    throw sql::error(sql::errc::other, "the repository is being moved to another storage; it goes on in a moment");
}

base::time_point trusted_time(sql::connection& c, base::time_point now)
{
    const auto rows = c.query(trusted);
    return rows.empty() ? now : rows.get<base::time_point>(0, 0);
}

} // namespace detail

namespace {

constexpr const char* delete_life = "delete from object_life where repository_id = $1 and place = $2";
constexpr const char* close_life = "update object_life set left_place = $3, left_at = $4, left_trusted = $5, "
                                   "in_trash = 1 where repository_id = $1 and place = $2";
constexpr const char* open_life = "update object_life set left_place = null, left_at = null, left_trusted = null, "
                                  "in_trash = 0 where repository_id = $1 and place = $2";
constexpr const char* end_reservations =
    "delete from upload_reservation where repository_id = $1 and type = $2 and name = $3";
constexpr const char* some_reservation = "select 1 from upload_reservation where repository_id = $1 limit 1";
constexpr const char* add_arrivals = "update repository_state set place = $2, live_objects = live_objects + $3, "
                                     "live_bytes = live_bytes + $4 where repository_id = $1";
constexpr const char* tenant_of = "select tenant_id from repository where id = $1";
constexpr const char* update_access =
    "insert into repository_state (repository_id, place, live_objects, live_bytes, trash_objects, trash_bytes, "
    "last_access_at, purge_day, purge_left) values ($1, 0, 0, 0, 0, 0, $2, 0, 0) "
    "on conflict (repository_id) do update set last_access_at = excluded.last_access_at";

object_life new_life(const domain::repository_id& id, std::int64_t place, const object_identity& o,
                     base::time_point now)
{
    object_life life;
    life.repository_id = id;
    life.place = place;
    life.type = o.type;
    life.name = o.name;
    life.hash = o.hash;
    life.bytes = o.bytes;
    life.came_at = now;
    life.first_place = life.place;
    return life;
}

// Those of one repository, in one turn. How many were not present yet.
std::int64_t arrive(sql::connection& c, std::span<const object_journal::arrival> arrivals)
{
    const auto& id = arrivals.front().id;
    const auto before = detail::take_turn(c, id);
    auto place = before;
    std::int64_t bytes = 0;
    const bool has_reservations = !c.query(some_reservation, id).empty();
    const storage_of_bytes* lies_on = nullptr; // what was asked last
    for (const auto& [of, o, at, on] : arrivals) {
        if (has_reservations) c.query(end_reservations, id, o.type, o.name);
        if (detail::present_life(c, id, o.type, o.name)) continue;
        if (lies_on == nullptr || *lies_on != on) detail::require_storage(c, id, on, at);
        lies_on = &on;
        c.insert("object_life", new_life(id, ++place, o, at));
        bytes += o.bytes;
    }
    if (place > before) c.query(add_arrivals, id, place, place - before, bytes);
    return place - before;
}

void remove_for_good(sql::connection& c, const domain::repository_id& id, const std::optional<object_life>& life)
{
    if (!life) return;
    c.query(delete_life, id, life->place);
    count(c, id, {.live_objects = -1, .live_bytes = -life->bytes});
}

// Of an object without a row: a crash came before its row, or after the row had moved and before the file did.
std::int64_t depart_unknown(sql::connection& c, const domain::repository_id& id, const object_identity& o,
                            base::time_point now, std::int64_t place)
{
    const auto trusted = detail::trusted_time(c, now);
    if (const auto earlier = c.find<object_life>(detail::newest_in_trash, id, o.type, o.name, o.hash)) {
        c.query(close_life, id, earlier->place, place, now, trusted);
        return earlier->place;
    }
    auto life = new_life(id, place, o, now);
    life.left_place = next_place(c, id);
    life.left_at = now;
    life.left_trusted = trusted;
    life.in_trash = true;
    c.insert("object_life", life);
    count(c, id, {.trash_objects = 1, .trash_bytes = life.bytes});
    return life.place;
}

std::optional<std::int64_t> depart(sql::connection& c, const domain::repository_id& id, const object_identity& o,
                                   base::time_point now, bool always_to_trash, const storage_of_bytes& on)
{
    // Also where no row will say so: whoever copies the repository sees that it has changed.
    const auto place = next_place(c, id);
    detail::require_storage(c, id, on, now);
    const auto life = detail::present_life(c, id, o.type, o.name);
    if (!always_to_trash && (o.type == "locks" || detail::rule_for(c, id).mode == "full")) {
        remove_for_good(c, id, life);
        return std::nullopt;
    }
    if (!life) return depart_unknown(c, id, o, now, place);
    c.query(close_life, id, life->place, place, now, detail::trusted_time(c, now));
    count(c, id, {.live_objects = -1, .live_bytes = -life->bytes, .trash_objects = 1, .trash_bytes = life->bytes});
    return life->place;
}

} // namespace

bool object_journal::arrived(const domain::repository_id& id, const object_identity& o, base::time_point now,
                             const storage_of_bytes& on)
{
    const arrival a{id, o, now, on};
    return db_->write([&](sql::connection& c) { return arrive(c, std::span{&a, 1}) > 0; });
}

void object_journal::arrived_together(std::vector<arrival> arrivals)
{
    if (arrivals.empty()) return;
    // Turns are taken in one order by everybody, so that nobody waits in a circle.
    std::ranges::stable_sort(arrivals, {}, [](const arrival& a) { return a.id.text; });
    db_->write([&](sql::connection& c) {
        for (auto first = arrivals.cbegin(); first != arrivals.cend();) {
            const auto last = std::find_if(first, arrivals.cend(), [&](const arrival& a) { return a.id != first->id; });
            arrive(c, {first, last});
            first = last;
        }
    });
}

std::optional<std::int64_t> object_journal::departing(const domain::repository_id& id, const object_identity& o,
                                                      base::time_point now, bool always_to_trash,
                                                      const storage_of_bytes& on)
{
    return db_->write([&](sql::connection& c) { return depart(c, id, o, now, always_to_trash, on); });
}

void object_journal::stayed(const domain::repository_id& id, std::int64_t place)
{
    db_->write([&](sql::connection& c) {
        detail::take_turn(c, id);
        const auto life = detail::life_at(c, id, place);
        if (!life || !life->in_trash) return;
        const detail::change out_of_trash{.trash_objects = -1, .trash_bytes = -life->bytes};
        if (detail::present_life(c, id, life->type, life->name)) {
            // Somebody stored it again meanwhile: then its bytes are accounted for.
            c.query(delete_life, id, place);
            count(c, id, out_of_trash);
            return;
        }
        c.query(open_life, id, place);
        count(c, id, {1, life->bytes, out_of_trash.trash_objects, out_of_trash.trash_bytes});
    });
}

room object_journal::room_of(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) { return detail::room_for(c, id); });
}

room object_journal::room_for_upload(const domain::repository_id& id)
{
    return db_->read([&](sql::connection& c) {
        room out;
        out.rule = detail::rule_for(c, id);
        if (out.rule.quota_bytes || out.rule.tenant_quota_bytes) return detail::room_for(c, id);
        const auto row = c.query(tenant_of, id);
        if (!row.empty()) out.tenant = row.get<domain::tenant_id>(0, 0);
        return out;
    });
}

void object_journal::touch(const domain::repository_id& id, base::time_point now)
{
    db_->write([&](sql::connection& c) { c.query(update_access, id, now); });
}

} // namespace xentz::store
