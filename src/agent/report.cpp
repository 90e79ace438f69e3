#include "agent/report.hpp"

#include "base/utf8.hpp"

namespace xentz::agent {
namespace {

// The server takes 256 KiB. What does not fit lies in the state file; a report must never be refused for its length.
constexpr std::size_t most_listed = 100;
constexpr std::size_t longest_text = 500;
constexpr std::size_t most_report_bytes = std::size_t{192} << 10U;

std::string cut(const std::string& text) { return std::string{base::cut_utf8(text, longest_text)}; }
domain::unreadable cut(const domain::unreadable& file) { return {cut(file.path), cut(file.reason)}; }

// The first of a list, each shortened; nothing where it is empty.
template <class T>
std::optional<std::vector<T>> first_of(const std::vector<T>& list)
{
    if (list.empty()) return std::nullopt;
    std::vector<T> out;
    for (std::size_t i = 0; i < list.size() && i < most_listed; ++i) out.push_back(cut(list[i]));
    return out;
}

wire::report_details details_of(const local_config& local, const job_state& s)
{
    wire::report_details d;
    d.unreadable = first_of(s.unreadable);
    d.warnings = first_of(s.warnings);
    d.local_include = first_of(local.include);
    d.local_exclude = first_of(local.exclude);
    d.commands = s.commands;
    return d;
}

// A path of odd bytes takes six times its length in JSON. What matters least goes first.
void fit(wire::report_message& r)
{
    const auto too_long = [&] { return wire::encode(r).size() > most_report_bytes; };
    if (!r.details || !too_long()) return;
    if (r.details->commands)
        for (auto& command : *r.details->commands) command.output.reset();
    if (!too_long()) return;
    r.details->local_exclude.reset();
    r.details->local_include.reset();
    auto& files = r.details->unreadable;
    while (files && files->size() > 1 && too_long()) files->resize(files->size() / 2);
    if (too_long()) r.details.reset();
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
    if (r.fault) r.fault->message = *r.error;
    r.config_version = s.config_version;
    r.agent_version = env.agent_version;
    r.engine = std::string{env.engine.name()};
    if (auto version = env.engine.version()) r.restic_version = *version;
    r.unsupported = first_of(s.unsupported);
    if (auto details = details_of(local, s); details != wire::report_details{}) r.details = std::move(details);
    fit(r);
    return r;
}

} // namespace xentz::agent
