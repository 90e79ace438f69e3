// What administrators see of the fleet: the rows put into the words and keys of the contract, ready for JSON
// (`--json`) and for tables. No secret and no hash is in them.
#pragma once

#include "store/fleet_store.hpp"
#include "wire/json.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xentz::control {

struct tenant_view {
    std::string tenant_id;
    std::string name;
    std::string custody;
    std::string protection;
    std::int64_t trash_days = 0;
    std::int64_t trash_factor = 0;
    std::optional<std::int64_t> quota_bytes;
    std::optional<std::int64_t> repository_quota_bytes;
    base::time_point created_at;
};
BOOST_DESCRIBE_STRUCT(tenant_view, (),
                      (tenant_id, name, custody, protection, trash_days, trash_factor, quota_bytes,
                       repository_quota_bytes, created_at))

struct token_view {
    std::string id;
    std::string kind; // install, recovery
    std::string tenant_id;
    std::optional<std::string> policy;       // of an install token
    std::optional<std::string> device_id;    // of a recovery token: the lost machine,
    std::optional<bool> allow_take_over;     // whether another one may take its place,
    std::optional<std::string> successor_id; // and which one did
    std::string state;                       // usable, used, expired, revoked
    std::int64_t uses_total = 0;
    std::int64_t uses_left = 0;
    base::time_point created_at;
    base::time_point expires_at;
};
BOOST_DESCRIBE_STRUCT(token_view, (),
                      (id, kind, tenant_id, policy, device_id, allow_take_over, successor_id, state, uses_total,
                       uses_left, created_at, expires_at))

struct policy_view {
    std::string tenant_id;
    std::string name;
    base::time_point updated_at;
    wire::json::value policy;
};
BOOST_DESCRIBE_STRUCT(policy_view, (), (tenant_id, name, updated_at, policy))

struct report_view {
    std::string report_id;
    std::string device_id;
    std::string job;
    std::string status;
    std::optional<std::string> outcome;
    base::time_point started_at;
    base::time_point finished_at;
    base::time_point received_at;
    std::int64_t duration_ms = 0;
    wire::json::value metrics;
    std::optional<std::string> error;
    std::optional<wire::json::value> fault;
    std::optional<std::string> config_version;
    std::optional<std::string> agent_version;
    std::optional<std::string> restic_version;
    std::optional<std::string> engine;
    std::optional<wire::json::value> details;
};
BOOST_DESCRIBE_STRUCT(report_view, (),
                      (report_id, device_id, job, status, outcome, started_at, finished_at, received_at, duration_ms,
                       metrics, error, fault, config_version, agent_version, restic_version, engine, details))

struct device_view {
    std::string device_id;
    std::string tenant_id;
    std::string user_id;
    std::string hostname;
    std::string os;
    std::string arch;
    std::string agent_version;
    std::string restic_version;
    std::string policy;
    std::string state; // active, disabled, revoked
    base::time_point enrolled_at;
    std::optional<base::time_point> last_seen_at;
    std::optional<base::time_point> revoked_at;
    std::optional<std::string> successor_id;             // the machine that took its place
    std::optional<std::string> predecessor_id;           // the machine whose place it took
    std::optional<base::time_point> last_good_backup_at; // of a backup that was a success or partial
    std::optional<base::time_point> last_proved_at;      // the newest check without a flaw ended
    wire::json::value include;
    std::vector<std::string> alarms; // about its repository (deletion_alarm.hpp); for whoever shows it to fill in
    std::vector<report_view> latest; // the newest report of each job
};
BOOST_DESCRIBE_STRUCT(device_view, (),
                      (device_id, tenant_id, user_id, hostname, os, arch, agent_version, restic_version, policy, state,
                       enrolled_at, last_seen_at, revoked_at, successor_id, predecessor_id, last_good_backup_at,
                       last_proved_at, include, alarms, latest))

tenant_view view(const store::tenant& t, store::fleet_store& store);
token_view view(const store::install_token& t, base::time_point now);
token_view view(const store::recovery_token& t, const domain::tenant_id& tenant, base::time_point now);
policy_view view(const store::policy& p);
report_view view(const store::report& r);
device_view view(const store::device& d, store::fleet_store& store);

} // namespace xentz::control
