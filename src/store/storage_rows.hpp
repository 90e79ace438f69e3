// The rows of the repository server: rules, credentials, the state and the journal of each repository, holds, samples
// of usage. As in rows.hpp; the schema is db/migrations/0003_object_journal.sql and 0005_repository_credentials.sql.
#pragma once

#include "base/clock.hpp"
#include "domain/ids.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace xentz::store {

// Of a tenant or of a repository, which is `owner`; what is absent is decided further up.
struct storage_rule {
    std::string owner;
    std::optional<std::string> mode; // "full", "append-only", "guarded"
    std::optional<std::int64_t> trash_days;
    std::optional<std::int64_t> quota_bytes;            // of all that the owner has
    std::optional<std::int64_t> repository_quota_bytes; // of a tenant: of each repository that has no other
    std::optional<std::int64_t> trash_factor;           // present and trash together: at most quota times this
};
BOOST_DESCRIBE_STRUCT(storage_rule, (), (owner, mode, trash_days, quota_bytes, repository_quota_bytes, trash_factor))

// What holds for one repository once both owners were asked.
struct effective_rule {
    std::string mode = "guarded";
    std::int64_t trash_days = 30;
    std::int64_t trash_factor = 2;
    std::optional<std::int64_t> quota_bytes;        // of the repository
    std::optional<std::int64_t> tenant_quota_bytes; // of all repositories of its tenant
};

// A credential beside that of the device. Its secret is derived (crypto/secrets.hpp).
struct repository_credential {
    domain::credential_id id;
    domain::repository_id repository_id;
    std::string kind; // "read-only", "maintenance"
    std::string reason;
    base::time_point created_at;
    base::time_point expires_at;
    std::optional<base::time_point> revoked_at;
};
BOOST_DESCRIBE_STRUCT(repository_credential, (), (id, repository_id, kind, reason, created_at, expires_at, revoked_at))

struct repository_state {
    domain::repository_id repository_id;
    std::int64_t place = 0;
    std::int64_t live_objects = 0;
    std::int64_t live_bytes = 0;
    std::int64_t trash_objects = 0;
    std::int64_t trash_bytes = 0;
    std::optional<base::time_point> last_access_at;
    std::optional<base::time_point> maintenance_until;
    std::int64_t purge_day = 0;
    std::int64_t purge_left = 0;
};
BOOST_DESCRIBE_STRUCT(repository_state, (),
                      (repository_id, place, live_objects, live_bytes, trash_objects, trash_bytes, last_access_at,
                       maintenance_until, purge_day, purge_left))

// One time that an object was present. `type` and `name` as in its address; `hash` is the SHA-256 of its bytes, which
// tells the versions of a config apart.
struct object_life {
    domain::repository_id repository_id;
    std::int64_t place = 0;
    std::string type;
    std::string name;
    std::string hash;
    std::int64_t bytes = 0;
    base::time_point came_at;
    std::int64_t first_place = 0;
    std::optional<std::int64_t> left_place;
    std::optional<base::time_point> left_at;
    std::optional<base::time_point> left_trusted;
    bool in_trash = false;
};
BOOST_DESCRIBE_STRUCT(object_life, (),
                      (repository_id, place, type, name, hash, bytes, came_at, first_place, left_place, left_at,
                       left_trusted, in_trash))

struct repository_hold {
    domain::repository_id repository_id;
    std::int64_t place = 0;
    base::time_point held_at;
    std::string reason;
    std::optional<base::time_point> released_at;
};
BOOST_DESCRIBE_STRUCT(repository_hold, (), (repository_id, place, held_at, reason, released_at))

// A storage beside the installation's own.
struct storage_row {
    std::string id; // as its storage.json says
    std::string address;
    base::time_point added_at;
};
BOOST_DESCRIBE_STRUCT(storage_row, (), (id, address, added_at))

struct usage_sample {
    domain::repository_id repository_id;
    std::int64_t day = 0;
    std::int64_t live_objects = 0;
    std::int64_t live_bytes = 0;
    std::int64_t trash_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(usage_sample, (), (repository_id, day, live_objects, live_bytes, trash_bytes))

} // namespace xentz::store
