#include "control/views.hpp"

namespace xentz::control {
namespace {

// Stored documents were written by this program; one that does not parse is shown as it is.
wire::json::value value_of(const std::string& text)
{
    auto v = wire::parse_json(text);
    return v ? std::move(*v) : wire::json::value(text);
}

std::string state_of(const store::install_token& t, base::time_point now)
{
    if (t.revoked_at) return "revoked";
    if (t.uses_left <= 0) return "used";
    return t.expires_at <= now ? "expired" : "usable";
}

std::string state_of(const store::recovery_token& t, base::time_point now)
{
    if (t.revoked_at) return "revoked";
    if (t.idempotency_key) return "used";
    return t.expires_at <= now ? "expired" : "usable";
}

std::optional<std::string> text_of(const std::optional<domain::device_id>& id)
{
    return id ? std::optional{id->text} : std::nullopt;
}

std::string state_of(const store::device& d)
{
    if (d.revoked_at) return "revoked";
    return d.enabled ? "active" : "disabled";
}

} // namespace

tenant_view view(const store::tenant& t, store::fleet_store& store)
{
    const store::effective_rule defaults;
    const auto rule = store.objects().rule(t.id.text).value_or(store::storage_rule{});
    return {.tenant_id = t.id.text,
            .name = t.name,
            .custody = t.custody,
            .protection = rule.mode.value_or(defaults.mode),
            .trash_days = rule.trash_days.value_or(defaults.trash_days),
            .trash_factor = rule.trash_factor.value_or(defaults.trash_factor),
            .quota_bytes = rule.quota_bytes,
            .repository_quota_bytes = rule.repository_quota_bytes,
            .created_at = t.created_at};
}

token_view view(const store::install_token& t, base::time_point now)
{
    token_view v;
    v.id = t.id.text;
    v.kind = "install";
    v.tenant_id = t.tenant_id.text;
    v.policy = t.policy_name;
    v.state = state_of(t, now);
    v.uses_total = t.uses_total;
    v.uses_left = t.uses_left;
    v.created_at = t.created_at;
    v.expires_at = t.expires_at;
    return v;
}

token_view view(const store::recovery_token& t, const domain::tenant_id& tenant, base::time_point now)
{
    token_view v;
    v.id = t.id.text;
    v.kind = "recovery";
    v.tenant_id = tenant.text;
    v.device_id = t.device_id.text;
    v.allow_take_over = t.allow_take_over;
    v.successor_id = text_of(t.successor_id);
    v.state = state_of(t, now);
    v.uses_total = 1;
    v.uses_left = t.idempotency_key ? 0 : 1;
    v.created_at = t.created_at;
    v.expires_at = t.expires_at;
    return v;
}

policy_view view(const store::policy& p)
{
    return {.tenant_id = p.tenant_id.text, .name = p.name, .updated_at = p.updated_at, .policy = value_of(p.document)};
}

report_view view(const store::report& r)
{
    report_view v;
    v.report_id = r.report_id;
    v.device_id = r.device_id.text;
    v.job = r.job;
    v.status = r.status;
    v.outcome = r.outcome;
    v.started_at = r.started_at;
    v.finished_at = r.finished_at;
    v.received_at = r.received_at;
    v.duration_ms = r.duration_ms;
    v.metrics = value_of(r.metrics);
    v.error = r.error;
    if (r.fault) v.fault = value_of(*r.fault);
    v.config_version = r.config_version;
    v.agent_version = r.agent_version;
    v.restic_version = r.restic_version;
    v.engine = r.engine;
    if (r.details) v.details = value_of(*r.details);
    return v;
}

device_view view(const store::device& d, store::fleet_store& store)
{
    device_view v;
    v.device_id = d.id.text;
    v.tenant_id = d.tenant_id.text;
    v.user_id = d.user_id;
    v.hostname = d.hostname;
    v.os = d.os;
    v.arch = d.arch;
    v.agent_version = d.agent_version;
    v.restic_version = d.restic_version;
    v.policy = d.policy_name;
    v.state = state_of(d);
    v.enrolled_at = d.enrolled_at;
    v.last_seen_at = d.last_seen_at;
    v.revoked_at = d.revoked_at;
    v.successor_id = text_of(store.successor_of(d.id));
    v.predecessor_id = text_of(store.predecessor_of(d.id));
    v.last_good_backup_at = store.last_good_backup(d.id);
    v.last_proved_at = store.last_good_check(d.id);
    v.include = value_of(d.include);
    for (const auto& r : store.latest_reports(d.id)) v.latest.push_back(view(r));
    return v;
}

} // namespace xentz::control
