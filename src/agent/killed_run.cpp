#include "agent/killed_run.hpp"

#include "agent/report.hpp"
#include "agent/state.hpp"

namespace xentz::agent {
namespace {

using base::fault_code;
using base::result;

job_state interrupted_state(const running_marker& m, base::time_point now, const std::optional<job_state>& previous)
{
    job_state s;
    s.job = m.job;
    s.status = domain::run_status::failure;
    s.outcome = "interrupted";
    s.started_at = m.started_at;
    s.finished_at = std::max(now, m.started_at);
    s.report_id = m.report_id;
    s.fault = domain::to_run_fault({fault_code::interrupted,
                                    "the run of " + base::to_rfc3339(m.started_at) +
                                        " ended without a result: it was killed or the machine went down",
                                    "Nothing needs to be done: the next run continues where it was"});
    if (previous) {
        s.last_good = previous->last_good;
        s.repository = previous->repository;
        s.flaw = previous->flaw;
    }
    return s;
}

} // namespace

result<> settle_killed_run(environment& env, const local_config& local, spool& reports)
{
    const auto marker = load_marker(env.files, env.home);
    if (!marker) return {};
    const auto previous = load_state(env.files, env.home, marker->job);
    const bool finished = previous && previous->report_id == marker->report_id;
    // A power cut may have kept the report of a run that ended, and not its state: the report knows what came of it.
    if (!finished && local.managed() && reports.holds(marker->report_id)) return remove_marker(env.files, env.home);
    const auto state = finished ? *previous : interrupted_state(*marker, env.clock.now(), previous);
    if (!finished) {
        env.log.warn("the last " + std::string{domain::name(marker->job)} + " was interrupted");
        if (auto saved = save_state(env.files, env.home, state); !saved) return saved;
    }
    if (local.managed() && !reports.holds(state.report_id))
        if (auto added = reports.add(report_of(env, local, state)); !added) return base::failed(added);
    return remove_marker(env.files, env.home);
}

} // namespace xentz::agent
