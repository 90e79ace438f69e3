// Where the scrub is, and what it has found (apps/xentz-server/scrub.hpp). It walks the repositories in the order of
// their ids and the journal of each in its order: what comes meanwhile lies ahead of it or waits for the next round.
//
// Each function is one transaction. Errors: exceptions of type sql::error. Threads: may be used from any thread at
// once.
#pragma once

#include "sql/database.hpp"
#include "store/storage_rows.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xentz::store {

struct scrub_position {
    std::int64_t round = 1;
    domain::repository_id repository_id; // empty before the first
    std::int64_t place = 0;
    std::int64_t objects = 0; // read in this round
    std::int64_t bytes = 0;
    base::time_point began_at;
    base::time_point advanced_at;
    std::string worker;
    std::optional<base::time_point> ended_at;      // of this round; absent while it is under way
    std::optional<base::time_point> last_round_at; // when the last whole one ended
};
BOOST_DESCRIBE_STRUCT(scrub_position, (),
                      (round, repository_id, place, objects, bytes, began_at, advanced_at, worker, ended_at,
                       last_round_at))

struct object_damage {
    domain::repository_id repository_id;
    std::int64_t place = 0;
    std::string how; // a sentence
    base::time_point found_at;
    base::time_point seen_at; // the last time
};
BOOST_DESCRIBE_STRUCT(object_damage, (), (repository_id, place, how, found_at, seen_at))

struct damaged_object {
    object_damage damage;
    object_life object;
};

class scrub_log {
public:
    explicit scrub_log(std::shared_ptr<sql::database> db) : db_(std::move(db)) {}

    // Nothing before the first round.
    std::optional<scrub_position> position();
    // Only where the row is still `expected` (nothing: there is none yet): of two processes one wins.
    bool advance(const std::optional<scrub_position>& expected, const scrub_position& next);

    // The next repository after that one by id; nothing at the end.
    std::optional<domain::repository_id> repository_after(const domain::repository_id& id);
    // Objects behind that place that are present or in the trash; locks, which live for minutes, are left out.
    std::vector<object_life> objects_after(const domain::repository_id& id, std::int64_t place, std::int64_t most);

    void damaged(const object_damage& d); // a known one keeps its found_at
    void whole(const domain::repository_id& id, std::int64_t place);
    // Of every repository, or of one; what is neither present nor in the trash any more is left out.
    std::vector<damaged_object> damages(const std::optional<domain::repository_id>& only = std::nullopt);

private:
    std::shared_ptr<sql::database> db_;
};

} // namespace xentz::store
