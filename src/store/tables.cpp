#include "store/all_rows.hpp"

namespace xentz::store {
namespace {

column text(std::string_view name) { return {name, false}; }
column number(std::string_view name) { return {name, true}; }

} // namespace

// A test holds this list to what the migrations make.
const std::vector<table>& tables()
{
    static const std::vector<table> all{
        {"setting", {text("name"), text("value")}, {"name"}},
        {"tenant", {text("id"), text("name"), text("custody"), number("created_at"), text("custody_key")}, {"id"}},
        {"policy", {text("tenant_id"), text("name"), text("document"), number("updated_at")}, {"tenant_id", "name"}},
        {"install_token",
         {text("id"), text("tenant_id"), text("policy_name"), text("token_hash"), number("uses_total"),
          number("uses_left"), number("created_at"), number("expires_at"), number("revoked_at")},
         {"id"}},
        {"device",
         {text("id"), text("tenant_id"), text("user_id"), text("hostname"), text("os"), text("arch"),
          text("agent_version"), text("restic_version"), text("include"), text("policy_name"), text("key_hash"),
          number("enabled"), number("enrolled_at"), number("last_seen_at"), number("revoked_at")},
         {"id"}},
        {"enrolment", {text("device_id"), text("token_id"), text("idempotency_key")}, {"device_id"}},
        {"repository",
         {text("id"), text("tenant_id"), text("device_id"), text("user_id"), number("generation"), text("password_box"),
          number("initialised"), number("created_at"), text("custody"), text("custody_key")},
         {"id"}},
        {"report",
         {text("report_id"), text("device_id"), text("dedup_key"), text("job"), text("status"), number("started_at"),
          number("finished_at"), number("received_at"), number("duration_ms"), text("metrics"), text("error"),
          text("outcome"), text("fault"), text("config_version"), text("agent_version"), text("restic_version"),
          text("engine"), text("details")},
         {"device_id", "dedup_key"}},
        {"user_account", {text("email"), text("password_hash"), number("created_at")}, {"email"}},
        {"storage_rule",
         {text("owner"), text("mode"), number("trash_days"), number("quota_bytes"), number("repository_quota_bytes"),
          number("trash_factor")},
         {"owner"}},
        {"repository_state",
         {text("repository_id"), number("place"), number("live_objects"), number("live_bytes"), number("trash_objects"),
          number("trash_bytes"), number("last_access_at"), number("maintenance_until"), number("purge_day"),
          number("purge_left")},
         {"repository_id"}},
        {"object_life",
         {text("repository_id"), number("place"), text("type"), text("name"), text("hash"), number("bytes"),
          number("came_at"), number("first_place"), number("left_place"), number("left_at"), number("left_trusted"),
          number("in_trash")},
         {"repository_id", "place"}},
        {"repository_hold",
         {text("repository_id"), number("place"), number("held_at"), text("reason"), number("released_at")},
         {"repository_id", "place"}},
        {"sweep_clock", {number("id"), number("trusted_at"), number("swept_at")}, {"id"}},
        {"usage_sample",
         {text("repository_id"), number("day"), number("live_objects"), number("live_bytes"), number("trash_bytes")},
         {"repository_id", "day"}},
        {"backup_request", {text("device_id"), text("request_id"), number("requested_at")}, {"device_id"}},
        {"repository_credential",
         {text("id"), text("repository_id"), text("kind"), text("reason"), number("created_at"), number("expires_at"),
          number("revoked_at")},
         {"id"}},
        {"repository_password",
         {text("repository_id"), number("number"), text("kind"), text("box"), number("deposited_at")},
         {"repository_id", "number"}},
        {"recovery_token",
         {text("id"), text("device_id"), text("repository_id"), text("token_hash"), number("allow_take_over"),
          number("created_at"), number("expires_at"), number("revoked_at"), text("idempotency_key"),
          text("credential_id"), text("successor_id")},
         {"id"}},
        {"scrub",
         {number("id"), number("round"), text("repository_id"), number("place"), number("objects"), number("bytes"),
          number("began_at"), number("advanced_at"), text("worker"), number("ended_at"), number("last_round_at")},
         {"id"}},
        {"storage", {text("id"), text("address"), number("added_at")}, {"id"}},
        {"repository_storage", {text("repository_id"), text("storage_id"), number("closed_until")}, {"repository_id"}},
        {"object_damage",
         {text("repository_id"), number("place"), text("how"), number("found_at"), number("seen_at")},
         {"repository_id", "place"}},
        {"epoch",
         {number("number"), text("id"), number("began_at"), number("copy_made_at"), number("confirmed_at")},
         {"number"}},
    };
    return all;
}

} // namespace xentz::store
