// The journal of the repositories' objects and everything that is counted by it: what came, what left, what the trash
// holds, what a hold keeps, how much room it takes. A place in the journal of a repository is a number that only grows.
//
// The rows are the truth; a file is moved after its row says where it belongs. What a crash leaves between the two is
// settled when the server compares the two (apps/xentz-server/reconcile.hpp), so each function here can be followed by
// a power cut. Each function is one transaction. Errors: exceptions of type sql::error, as in fleet_store.hpp. Threads:
// may be used from any thread at once.
#pragma once

#include "sql/database.hpp"
#include "store/storage_rows.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::store {

struct object_identity {
    std::string type;
    std::string name;
    std::string hash;
    std::int64_t bytes = 0;
};

// How much of its room a repository and its tenant use, and what they may use.
struct room {
    domain::tenant_id tenant;
    effective_rule rule;
    std::int64_t live_bytes = 0;
    std::int64_t trash_bytes = 0;
    std::int64_t tenant_live_bytes = 0;
    std::int64_t tenant_trash_bytes = 0;
    // By uploads under way (upload_reservations.hpp).
    std::int64_t reserved_bytes = 0;
    std::int64_t tenant_reserved_bytes = 0;
};

using storage_of_bytes = std::optional<std::string>;

struct type_usage {
    std::string type;
    std::int64_t live_objects = 0;
    std::int64_t live_bytes = 0;
    std::int64_t trash_objects = 0;
    std::int64_t trash_bytes = 0;
    std::optional<base::time_point> newest_at; // when the newest present object came
};
BOOST_DESCRIBE_STRUCT(type_usage, (), (type, live_objects, live_bytes, trash_objects, trash_bytes, newest_at))

// What left for good since a place: it is not present now. Of one type.
struct departures {
    std::string type;
    std::int64_t objects = 0;
    std::int64_t bytes = 0;
};
BOOST_DESCRIBE_STRUCT(departures, (), (type, objects, bytes))

// A snapshot that was there at some time since a place.
struct snapshot_life {
    std::string hash;
    base::time_point came_at; // first
    bool present = false;
};
BOOST_DESCRIBE_STRUCT(snapshot_life, (), (hash, came_at, present))

class object_journal {
public:
    explicit object_journal(std::shared_ptr<sql::database> db) : db_(std::move(db)) {}

    // ---- what the server does while it serves

    // Where it is given, `on` is the storage that the bytes are on (empty: the installation's own): where the
    // repository lies on another one by now, or is about to, nothing is written, which is an error.

    // False where it was present already. Ends the reservations that were made for it.
    bool arrived(const domain::repository_id& id, const object_identity& o, base::time_point now,
                 const storage_of_bytes& on = {});
    // The same for many, in one transaction: all of them or, with an error, none.
    struct arrival {
        domain::repository_id id;
        object_identity object;
        base::time_point at;
        storage_of_bytes on;
    };
    void arrived_together(std::vector<arrival> arrivals);
    // The place under which the trash is to keep the bytes; nothing where they are to be removed for good: locks, and
    // everything in mode "full" unless `always_to_trash`. An object that the journal does not know is taken in first.
    std::optional<std::int64_t> departing(const domain::repository_id& id, const object_identity& o,
                                          base::time_point now, bool always_to_trash = false,
                                          const storage_of_bytes& on = {});
    // The bytes of `place` could not be moved into the trash: it is present as before.
    void stayed(const domain::repository_id& id, std::int64_t place);
    room room_of(const domain::repository_id& id);
    // The same for an upload that wants to know whether it fits: what is used is 0 where nothing limits it. To sum up
    // what a tenant holds is to look at all its repositories.
    room room_for_upload(const domain::repository_id& id);
    void touch(const domain::repository_id& id, base::time_point now); // last_access_at

    // ---- what an administrator does

    effective_rule rule_of(const domain::repository_id& id);
    std::optional<storage_rule> rule(std::string_view owner);
    void put_rule(const storage_rule& r);
    void set_maintenance(const domain::repository_id& id, const std::optional<base::time_point>& until);

    // The zero of everything where nothing was ever written.
    repository_state state(const domain::repository_id& id);
    std::vector<repository_state> states();
    std::vector<type_usage> usage_by_type(const domain::repository_id& id);
    // The last place before `t`: what happened at `t` or later has a higher one.
    std::int64_t place_before(const domain::repository_id& id, base::time_point t);

    // Nothing is known of what left a repository in mode "full".
    std::vector<departures> departures_since(const domain::repository_id& id, std::int64_t place);
    std::vector<snapshot_life> snapshots_since(const domain::repository_id& id, std::int64_t place);

    // Everything that has left since `place`, or came after it and is present; locks excluded.
    std::vector<object_life> changes_since(const domain::repository_id& id, std::int64_t place);
    std::vector<object_life> in_trash(const domain::repository_id& id);
    std::vector<object_life> present(const domain::repository_id& id, std::string_view type, std::string_view from_name,
                                     std::string_view below_name); // names in [from, below)
    std::optional<object_life> present(const domain::repository_id& id, std::string_view type, std::string_view name);
    std::optional<object_life> life(const domain::repository_id& id, std::int64_t place);

    // An entry of the trash becomes present again; the new place, or nothing where such an object is present already
    // or the entry has gone meanwhile.
    std::optional<std::int64_t> returned(const domain::repository_id& id, std::int64_t trash_place,
                                         base::time_point now);
    // The file of that entry could not be moved: it is in the trash as before.
    void not_returned(const domain::repository_id& id, std::int64_t new_place, std::int64_t trash_place);

    repository_hold hold(const domain::repository_id& id, std::string_view reason, base::time_point now);
    bool release(const domain::repository_id& id, std::int64_t place, base::time_point now);
    std::vector<repository_hold> holds(const domain::repository_id& id);

    // Takes an entry out of the trash for good, unless a hold keeps it (false).
    bool purged(const domain::repository_id& id, std::int64_t place);

    // ---- settling what a crash or a restored database left

    // The bytes of that row are nowhere: it ends here, and stays as history.
    void lost(const domain::repository_id& id, std::int64_t place, base::time_point now,
              const storage_of_bytes& on = {});
    // Every time that an object with these bytes was there, newest first.
    std::vector<object_life> lives_of(const domain::repository_id& id, std::string_view type, std::string_view hash);
    // A file of the trash that no row knows; false where its place belongs to another object.
    bool adopt_trash(const domain::repository_id& id, std::int64_t place, const object_identity& o,
                     base::time_point now, const storage_of_bytes& on = {});

    // ---- the sweep (store/sweep.cpp)

    struct sweep_time {
        base::time_point trusted_at;
        base::time_point swept_at;
    };
    std::optional<sweep_time> sweep_clock();
    // Only where the clock still says `expected` (nothing: there is none yet): of two processes one wins.
    bool advance_sweep_clock(const std::optional<sweep_time>& expected, const sweep_time& next);
    // Entries that both clocks say are old enough, oldest deletion first, no held ones.
    std::vector<object_life> purgeable(const domain::repository_id& id, base::time_point now, base::time_point trusted,
                                       std::int64_t limit);
    void set_purge_budget(const domain::repository_id& id, std::int64_t day, std::int64_t left);
    // Closed rows whose bytes are gone and whose end is older than `before`: no undelete can ask for them any more.
    void drop_history(const domain::repository_id& id, base::time_point before);
    void sample_usage(std::int64_t day);
    std::vector<usage_sample> samples(const domain::repository_id& id, std::int64_t from_day);

private:
    std::shared_ptr<sql::database> db_;
};

} // namespace xentz::store
