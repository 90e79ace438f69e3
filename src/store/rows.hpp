// The rows of the fleet's database as plain structs. Column names are the member names; instants are stored as
// 64-bit microseconds UTC, ids as text, booleans as 0 and 1. The schema is db/migrations/, described in
// docs/database.md.
#pragma once

#include "base/clock.hpp"
#include "domain/ids.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace xentz::store {

struct tenant {
    domain::tenant_id id;
    std::string name;    // unique
    std::string custody; // who keeps the passwords of repositories to come: "server", "sealed", "device"
    base::time_point created_at;
    std::optional<std::string> custody_key; // that "sealed" ones are sealed to
};
BOOST_DESCRIBE_STRUCT(tenant, (), (id, name, custody, created_at, custody_key))

// `document` is the JSON of a domain::policy. Every tenant has one named "default".
struct policy {
    domain::tenant_id tenant_id;
    std::string name;
    std::string document;
    base::time_point updated_at;
};
BOOST_DESCRIBE_STRUCT(policy, (), (tenant_id, name, document, updated_at))

struct install_token {
    domain::token_id id;
    domain::tenant_id tenant_id;
    std::string policy_name;
    std::string token_hash;
    std::int64_t uses_total = 1;
    std::int64_t uses_left = 1;
    base::time_point created_at;
    base::time_point expires_at;
    std::optional<base::time_point> revoked_at;
};
BOOST_DESCRIBE_STRUCT(install_token, (),
                      (id, tenant_id, policy_name, token_hash, uses_total, uses_left, created_at, expires_at,
                       revoked_at))

struct device {
    domain::device_id id;
    domain::tenant_id tenant_id;
    std::string user_id;
    std::string hostname;
    std::string os;
    std::string arch;
    std::string agent_version;
    std::string restic_version;
    std::string include; // JSON array: what the device asked for when it enrolled
    std::string policy_name;
    std::string key_hash;
    bool enabled = true;
    base::time_point enrolled_at;
    std::optional<base::time_point> last_seen_at; // of an authenticated call
    std::optional<base::time_point> revoked_at;
};
BOOST_DESCRIBE_STRUCT(device, (),
                      (id, tenant_id, user_id, hostname, os, arch, agent_version, restic_version, include, policy_name,
                       key_hash, enabled, enrolled_at, last_seen_at, revoked_at))

// An entity of its own: its address (tenant, device, user) is looked up, so that a successor can take it over.
struct repository {
    domain::repository_id id;
    domain::tenant_id tenant_id;
    domain::device_id device_id;
    std::string user_id;
    std::int64_t generation = 1;             // raising it revokes the derived secret
    std::optional<std::string> password_box; // sealed under the master key; absent = the server does not keep it
    bool initialised = false;                // a config was once stored
    base::time_point created_at;
    std::string custody = "server";         // as the tenant's was when it was made
    std::optional<std::string> custody_key; // likewise
};
BOOST_DESCRIBE_STRUCT(repository, (),
                      (id, tenant_id, device_id, user_id, generation, password_box, initialised, created_at, custody,
                       custody_key))

// Handed over by the device after the first one, which is `password_box`; the highest number is the newest.
struct repository_password {
    domain::repository_id repository_id;
    std::int64_t number = 0;
    std::string kind; // "server": sealed under the master key; "sealed": to the repository's custody_key
    std::string box;
    base::time_point deposited_at;
};
BOOST_DESCRIBE_STRUCT(repository_password, (), (repository_id, number, kind, box, deposited_at))

// Exchanged once, by the caller with `idempotency_key`, for the credential `credential_id`.
struct recovery_token {
    domain::token_id id;
    domain::device_id device_id; // the lost machine
    domain::repository_id repository_id;
    std::string token_hash;
    bool allow_take_over = false;
    base::time_point created_at;
    base::time_point expires_at;
    std::optional<base::time_point> revoked_at;
    std::optional<std::string> idempotency_key;
    std::optional<domain::credential_id> credential_id;
    std::optional<domain::device_id> successor_id; // the machine that took over
};
BOOST_DESCRIBE_STRUCT(recovery_token, (),
                      (id, device_id, repository_id, token_hash, allow_take_over, created_at, expires_at, revoked_at,
                       idempotency_key, credential_id, successor_id))

// JSON in `metrics`, `fault` and `details`; `dedup_key` is "id:<report id>", or "run:<job>@<started_at>" where the
// sender gave none.
struct report {
    std::string report_id;
    domain::device_id device_id;
    std::string dedup_key;
    std::string job;
    std::string status;
    base::time_point started_at;
    base::time_point finished_at;
    base::time_point received_at;
    std::int64_t duration_ms = 0;
    std::string metrics;
    std::optional<std::string> error;
    std::optional<std::string> outcome;
    std::optional<std::string> fault;
    std::optional<std::string> config_version;
    std::optional<std::string> agent_version;
    std::optional<std::string> restic_version;
    std::optional<std::string> engine;
    std::optional<std::string> details;
};
BOOST_DESCRIBE_STRUCT(report, (),
                      (report_id, device_id, dedup_key, job, status, started_at, finished_at, received_at, duration_ms,
                       metrics, error, outcome, fault, config_version, agent_version, restic_version, engine, details))

struct backup_request {
    domain::device_id device_id;
    std::string request_id; // "req_..."
    base::time_point requested_at;
};
BOOST_DESCRIBE_STRUCT(backup_request, (), (device_id, request_id, requested_at))

// Begun by each restore of the control plane from a copy.
struct epoch {
    std::int64_t number = 0;
    std::string id; // what devices are told
    base::time_point began_at;
    base::time_point copy_made_at;
    std::optional<base::time_point> confirmed_at; // when an administrator had looked through the devices
};
BOOST_DESCRIBE_STRUCT(epoch, (), (number, id, began_at, copy_made_at, confirmed_at))

struct user {
    std::string email; // unique
    std::string password_hash;
    base::time_point created_at;
};
BOOST_DESCRIBE_STRUCT(user, (), (email, password_hash, created_at))

} // namespace xentz::store
