// Steps that several transactions of the journal share; for the sources of object_journal.hpp only.
#pragma once

#include "store/object_journal.hpp"

namespace xentz::store::detail {

// What is looked for in a journal of millions: each of these reads what it finds and not all that there is.
inline constexpr const char* lives_by_hash =
    "from object_life where repository_id = $1 and type = $2 and hash = $3 order by place desc";
inline constexpr const char* newest_in_trash =
    "from object_life where repository_id = $1 and type = $2 and name = $3 and hash = $4 and in_trash = 1 "
    "order by place desc limit 1";
inline constexpr const char* whole_trash =
    "from object_life where repository_id = $1 and in_trash = 1 order by left_place";

// How the counts of a repository change.
struct change {
    std::int64_t live_objects = 0;
    std::int64_t live_bytes = 0;
    std::int64_t trash_objects = 0;
    std::int64_t trash_bytes = 0;
};

// Holds the row of the repository's state, which it makes where there is none, until the transaction ends. Whoever
// reads rows of the journal to change them takes a turn first: what was read is true then until the commit, also where
// PostgreSQL lets others write. Returns the last place that was given out.
std::int64_t take_turn(sql::connection& c, const domain::repository_id& id);
// The next place of the journal. Takes a turn, too, so that places are given out in the order of the commits.
std::int64_t next_place(sql::connection& c, const domain::repository_id& id);
void count(sql::connection& c, const domain::repository_id& id, const change& by);

std::optional<object_life> present_life(sql::connection& c, const domain::repository_id& id, std::string_view type,
                                        std::string_view name);
std::optional<object_life> life_at(sql::connection& c, const domain::repository_id& id, std::int64_t place);
effective_rule rule_for(sql::connection& c, const domain::repository_id& id);
// What it holds and may hold, all of one moment.
room room_for(sql::connection& c, const domain::repository_id& id);
// After a turn was taken: an error where the repository does not lie there, or is closed.
void require_storage(sql::connection& c, const domain::repository_id& id, const storage_of_bytes& on,
                     base::time_point now);
// The sweep's own clock, or `now` where it never ran.
base::time_point trusted_time(sql::connection& c, base::time_point now);

} // namespace xentz::store::detail
