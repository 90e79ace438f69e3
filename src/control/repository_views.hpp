// What administrators see of repositories: size, trash, quota, the newest snapshot and the last access.
#pragma once

#include "control/administration.hpp"
#include "control/views.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::control {

struct repository_view {
    std::string repository_id;
    std::string device_id;
    std::string tenant_id;
    std::string hostname;
    bool initialised = false;
    std::string protection;
    std::int64_t trash_days = 0;
    std::int64_t objects = 0;
    std::int64_t bytes = 0;
    std::int64_t trash_objects = 0;
    std::int64_t trash_bytes = 0;
    std::optional<std::int64_t> quota_bytes; // of the repository or, where it has none, of its tenant
    std::string level;                       // "ok", "warning" from 90 % of a quota on, "full"
    std::int64_t place = 0;                  // of the journal: the last one
    std::optional<base::time_point> newest_snapshot_at;
    std::optional<base::time_point> last_access_at;
    std::optional<base::time_point> maintenance_until; // in the future
    std::int64_t holds = 0;
    std::optional<std::int64_t> grown_in_7_days; // bytes; absent where nothing is known of then
    std::optional<std::int64_t> grown_in_30_days;
    std::vector<std::string> alarms; // what an administrator has to be told (deletion_alarm.hpp)
    std::vector<store::type_usage> types;
};
BOOST_DESCRIBE_STRUCT(repository_view, (),
                      (repository_id, device_id, tenant_id, hostname, initialised, protection, trash_days, objects,
                       bytes, trash_objects, trash_bytes, quota_bytes, level, place, newest_snapshot_at, last_access_at,
                       maintenance_until, holds, grown_in_7_days, grown_in_30_days, alarms, types))

repository_view view(administrator& a, const store::repository& r);

// How full: the worst of repository and tenant, of present objects and of these with the trash.
std::string_view level_of(const store::room& r);

// The repository of a device; not_found where there is none.
base::result<store::repository> repository_of_device(administrator& a, std::string_view device_id);

// An instant (RFC 3339) or a place of the journal ("#123" or "123"), as the place it stands for.
base::result<std::int64_t> place_of(administrator& a, const store::repository& r, std::string_view text);

} // namespace xentz::control
