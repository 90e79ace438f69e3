#include "agent/report.hpp"

#include "base/utf8.hpp"

namespace xentz::agent {
namespace {

template <class T>
std::optional<std::vector<T>> unless_empty(const std::vector<T>& list)
{
    return list.empty() ? std::nullopt : std::optional{list};
}

wire::report_details details_of(const local_config& local, const job_state& s)
{
    wire::report_details d;
    d.unreadable = unless_empty(s.unreadable);
    d.warnings = unless_empty(s.warnings);
    d.unsupported = unless_empty(s.unsupported);
    d.local_include = unless_empty(local.include);
    d.local_exclude = unless_empty(local.exclude);
    return d;
}

} // namespace

wire::report_message report_of(environment& env, const local_config& local, const job_state& s)
{
    wire::report_message r;
    r.device_id = local.device_id.value_or("");
    r.job = s.job;
    r.status = s.status;
    r.started_at = s.started_at;
    r.finished_at = s.finished_at;
    r.duration_ms = s.duration_ms;
    r.metrics = s.metrics;
    if (s.fault) r.error = std::string{base::cut_utf8(s.fault->message, domain::longest_error)};
    r.report_id = s.report_id;
    r.outcome = s.outcome;
    r.fault = s.fault;
    r.config_version = s.config_version;
    r.agent_version = env.agent_version;
    r.engine = std::string{env.engine.name()};
    if (auto version = env.engine.version()) r.restic_version = *version;
    if (auto details = details_of(local, s); details != wire::report_details{}) r.details = std::move(details);
    return r;
}

} // namespace xentz::agent
