// The messages of the device API, as in docs/api.md. Unknown fields are ignored by both sides; what is optional
// here may be absent on the wire.
#pragma once

#include "domain/ids.hpp"
#include "domain/policy.hpp"
#include "domain/report.hpp"
#include "wire/json.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xentz::wire {

// Of the answers to GET /v1/config and POST /v1/report: names the time since the control plane was last restored from a
// copy. Where it changes, the device sends the reports of the last days again.
inline constexpr auto epoch_header = "Xentz-Epoch";

// ---- POST /v1/install

struct device_metadata {
    std::string hostname;
    std::string os;
    std::string arch;
    std::optional<std::string> agent_version;
    std::optional<std::string> restic_version;
};
BOOST_DESCRIBE_STRUCT(device_metadata, (), (hostname, os, arch, agent_version, restic_version))

struct install_request {
    std::optional<std::string> user_id; // "default" where absent
    device_metadata metadata;
    std::optional<std::vector<std::string>> include;
};
BOOST_DESCRIBE_STRUCT(install_request, (), (user_id, metadata, include))

struct install_response {
    std::string tenant_id;
    std::string device_id;
    std::string device_api_key;
    std::string repo_path;
    std::optional<std::string> password; // where the server keeps it
    std::optional<std::string> custody;  // who keeps the password: server, sealed, device; absent: an older server
    std::optional<std::string> custody_key;
};
BOOST_DESCRIBE_STRUCT(install_response, (),
                      (tenant_id, device_id, device_api_key, repo_path, password, custody, custody_key))

// ---- POST /v1/recover: a recovery token against what it takes to read the repository of a lost machine

struct recover_request {
    std::optional<std::string> device_id; // which machine the caller means; refused where the token is for another
    device_metadata metadata;             // of the machine that asks
};
BOOST_DESCRIBE_STRUCT(recover_request, (), (device_id, metadata))

struct recover_response {
    std::string tenant_id;
    std::string device_id; // the lost machine
    std::string user_id;
    std::string hostname; // its name in the repository
    std::optional<base::time_point> last_seen_at;
    std::optional<base::time_point> last_good_backup_at;
    std::string custody;                                      // who keeps the password: server, sealed, device
    std::string repo_path;                                    // with a credential that reads
    std::optional<std::string> password;                      // the newest that the server keeps,
    std::optional<std::vector<std::string>> older_passwords;  // those before it, the newest first,
    std::optional<std::vector<std::string>> sealed_passwords; // and those that it cannot open itself, the newest first
    base::time_point expires_at;                              // of that credential
    bool allow_take_over = false;
    // What the lost machine added to the policy, as its last backup reported it.
    std::optional<std::vector<std::string>> local_include;
    std::optional<std::vector<std::string>> local_exclude;
};
BOOST_DESCRIBE_STRUCT(recover_response, (),
                      (tenant_id, device_id, user_id, hostname, last_seen_at, last_good_backup_at, custody, repo_path,
                       password, older_passwords, sealed_passwords, expires_at, allow_take_over, local_include,
                       local_exclude))

// ---- POST /v1/take-over: the machine that made the exchange becomes the successor; answered as an install

struct take_over_request {
    device_metadata metadata;
};
BOOST_DESCRIBE_STRUCT(take_over_request, (), (metadata))

// ---- POST /v1/password: the device hands over the repository's password, in the way that the custody says

struct password_message {
    std::optional<std::string> password; // custody "server"
    std::optional<std::string> sealed;   // custody "sealed": to the custody key
    // Who keeps this repository's passwords from now on: server, sealed, device; absent: as until now. Only the device
    // says so.
    std::optional<std::string> custody;
    std::optional<std::string> custody_key; // with "sealed"
};
BOOST_DESCRIBE_STRUCT(password_message, (), (password, sealed, custody, custody_key))

struct password_answer {
    bool kept = false;
};
BOOST_DESCRIBE_STRUCT(password_answer, (), (kept))

// ---- GET /v1/config

// The policy's options, and what only the server knows.
struct config_restic : domain::restic_options {
    static constexpr bool missing_keys_keep_defaults = false;
    std::string repository;
    std::string protection = "full"; // full, append-only, guarded
};
BOOST_DESCRIBE_STRUCT(config_restic, (domain::restic_options), (repository, protection))

struct device_config {
    std::string version;
    bool enabled = true;
    domain::schedule schedule;
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    config_restic restic;
    domain::retention retention;
    std::optional<domain::check_options> check;
    std::optional<std::vector<domain::hook>> hooks;
    std::optional<std::vector<std::string>> dumps;
    std::optional<domain::conditions> conditions;
    std::optional<std::vector<domain::command>> commands;
    // Names a wish for a backup besides the schedule; each is done once.
    std::optional<std::string> backup_now;
    // Features without which an agent must not apply this config.
    std::optional<std::vector<std::string>> requires_features;
};
BOOST_DESCRIBE_STRUCT(device_config, (),
                      (version, enabled, schedule, include, exclude, restic, retention, check, hooks, dumps, conditions,
                       commands, backup_now))

// `requires` is a word of C++, so it is carried over by hand.
json::value encode_config(const device_config& c);
base::result<device_config> decode_config(std::string_view text);

// ---- POST /v1/report

// What is good to know of a run beyond its figures.
struct report_details {
    std::optional<std::vector<domain::unreadable>> unreadable; // the first most_unreadable_listed
    std::optional<std::vector<std::string>> warnings;
    std::optional<std::vector<std::string>> local_include; // what the machine adds to the policy
    std::optional<std::vector<std::string>> local_exclude;
    std::optional<std::vector<domain::command_result>> commands; // what ran around the job, and its dumps
    std::optional<base::time_point> next_run_at;
    bool operator==(const report_details&) const = default;
};
BOOST_DESCRIBE_STRUCT(report_details, (), (unreadable, warnings, local_include, local_exclude, commands, next_run_at))

struct report_message {
    std::string device_id;
    domain::job job = domain::job::backup;
    base::time_point started_at;
    base::time_point finished_at;
    domain::run_status status = domain::run_status::failure;
    std::int64_t duration_ms = 0;
    std::optional<domain::metrics> metrics;
    std::optional<std::string> error;
    std::optional<std::string> report_id;
    std::optional<base::time_point> sent_at;
    std::optional<std::string> outcome;
    std::optional<domain::run_fault> fault;
    std::optional<std::string> config_version;
    std::optional<std::string> agent_version;
    std::optional<std::string> restic_version;
    std::optional<std::string> engine;
    std::optional<report_details> details;
    std::optional<std::vector<std::string>> unsupported; // of the config, what this machine's programs do not know
};
BOOST_DESCRIBE_STRUCT(report_message, (),
                      (device_id, job, started_at, finished_at, status, duration_ms, metrics, error, report_id, sent_at,
                       outcome, fault, config_version, agent_version, restic_version, engine, details, unsupported))

// Agents already in the field send the metrics at the top level: those are taken where `metrics` is absent.
base::result<report_message> decode_report(std::string_view text);

struct report_answer {
    std::string report_id;
};
BOOST_DESCRIBE_STRUCT(report_answer, (), (report_id))

} // namespace xentz::wire
