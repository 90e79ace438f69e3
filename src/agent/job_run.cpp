#include "agent/job_run.hpp"

#include "agent/plan.hpp"
#include "agent/preflight.hpp"
#include "base/utf8.hpp"
#include "os/lock.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::fault_code;
using base::result;

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
    return r;
}

job_state interrupted_state(const running_marker& m, base::time_point now, const std::optional<job_state>& previous)
{
    job_state s;
    s.job = m.job;
    s.status = domain::run_status::failure;
    s.outcome = "interrupted";
    s.started_at = m.started_at;
    s.finished_at = now;
    s.report_id = m.report_id;
    s.fault = domain::to_run_fault({fault_code::interrupted,
                                    "the run of " + base::to_rfc3339(m.started_at) +
                                        " ended without a result: it was "
                                        "killed or the machine went down",
                                    "Nothing needs to be done: the next run continues where it was"});
    if (previous) {
        s.last_good = previous->last_good;
        s.repository = previous->repository;
    }
    return s;
}

// We hold the run lock, so whoever wrote the marker is gone.
void settle_killed_run(environment& env, const local_config& local, spool& reports)
{
    const auto marker = load_marker(env.files, env.home);
    if (!marker) return;
    const auto previous = load_state(env.files, env.home, marker->job);
    const bool finished = previous && previous->report_id == marker->report_id;
    const auto state = finished ? *previous : interrupted_state(*marker, env.clock.now(), previous);
    if (!finished) {
        env.log.warn("the last " + std::string{domain::name(marker->job)} + " was interrupted");
        if (const auto saved = save_state(env.files, env.home, state); !saved) return;
    }
    if (local.managed() && !reports.holds(state.report_id)) {
        if (const auto added = reports.add(report_of(env, local, state)); !added) {
            env.log.error("spool: " + base::sentence(added.error()));
            return; // the marker stays for the next run
        }
    }
    if (const auto gone = remove_marker(env.files, env.home); !gone) env.log.error(base::sentence(gone.error()));
}

bool is_network(const base::fault& f)
{
    return f.code == fault_code::network_unreachable || f.code == fault_code::network_timeout ||
           f.code == fault_code::tls_failed;
}

job_state state_of(environment& env, const running_marker& m, const result<job_outcome>& outcome,
                   const std::optional<job_state>& previous)
{
    job_state s;
    s.job = m.job;
    s.started_at = m.started_at;
    s.finished_at = std::max(env.clock.now(), m.started_at);
    s.report_id = m.report_id;
    if (previous) {
        s.last_good = previous->last_good;
        s.repository = previous->repository;
    }
    if (!outcome) {
        s.fault = domain::to_run_fault(outcome.error());
        if (outcome.error().code == fault_code::interrupted) s.outcome = "interrupted";
        return s;
    }
    s.status = outcome->status;
    s.metrics = outcome->metrics;
    s.warnings = outcome->warnings;
    if (outcome->shortfall) s.fault = domain::to_run_fault(*outcome->shortfall);
    s.last_good = good_run{s.finished_at, s.status, s.metrics.snapshot_id};
    return s;
}

// The config of the first agent names no host; from now on it does, whatever the machine is called later.
result<> fix_host(environment& env, local_config& local)
{
    if (!local.host.empty()) return {};
    local.host = env.host_name;
    return save_local_config(env.files, env.home.config, local);
}

// What is said of a fault is stored and sent: no secret may be in it.
void clean(const base::redactor& secrets, job_state& s)
{
    if (s.fault) {
        s.fault->message = secrets.clean(s.fault->message);
        s.fault->remedy = secrets.clean(s.fault->remedy);
    }
    for (auto& warning : s.warnings) warning = secrets.clean(warning);
}

// One run while the lock is held.
class run {
public:
    run(environment& env, domain::job j, const local_config& local)
        : env_(env), job_(j), local_(local), reports_(env),
          client_(env.make_client(client_options_of(local, env.agent_version)))
    {
        if (local.managed()) server_.emplace(*client_, *local.server_url);
    }

    result<run_result> operator()(const job_work& work, std::stop_token stop)
    {
        settle_killed_run(env_, local_, reports_);
        const auto effective = load_config(env_, local_, server_ ? &*server_ : nullptr, stop);
        const auto& fetch_fault = effective ? effective->fetch_fault : std::optional{effective.error()};
        online_ = server_ && !(fetch_fault && is_network(*fetch_fault));
        if (online_) send_pending(stop);
        // The server knows that it sent the device away; the last real result stays in the state file.
        if (!effective && effective.error().code == fault_code::device_revoked)
            return std::unexpected(effective.error());
        if (effective)
            if (auto ok = check_enabled(*effective); !ok) return base::failed(ok);

        const running_marker marker{.job = job_,
                                    .started_at = env_.clock.now(),
                                    .report_id = base::make_id_text("rep", env_.random),
                                    .process_id = env_.process_id};
        if (auto ok = save_marker(env_.files, env_.home, marker); !ok) return base::failed(ok);
        const auto began = env_.clock.elapsed();
        const auto previous = load_state(env_.files, env_.home, job_);
        auto outcome = effective ? attempt(work, *effective, previous, stop)
                                 : result<job_outcome>{std::unexpected(effective.error())};
        auto state = state_of(env_, marker, outcome, previous);
        state.duration_ms = (env_.clock.elapsed() - began).count() / 1000;
        if (effective) {
            if (!effective->config.version.empty()) state.config_version = effective->config.version;
            state.config_source = name(effective->origin);
            if (effective->fetch_fault)
                state.warnings.push_back("ran with the config of " + base::to_rfc3339(effective->fetched_at) + ": " +
                                         effective->fetch_fault->message);
            if (outcome) state.repository = without_credential(effective->config.restic.repository);
        }
        return finish(std::move(state), outcome, stop);
    }

private:
    result<job_outcome> attempt(const job_work& work, const effective_config& effective,
                                const std::optional<job_state>& previous, std::stop_token stop)
    {
        run_context context{env_, local_, effective, *client_, previous, stop};
        return work(context);
    }

    void send_pending(std::stop_token stop)
    {
        const auto d = reports_.send(*server_, *local_.device_api_key, most_sent_per_run, stop);
        if (d.sent > 0) env_.log.info(std::to_string(d.sent) + " pending reports sent");
        if (d.fault) env_.log.warn("pending reports wait: " + d.fault->message);
        if (d.fault && is_network(*d.fault)) online_ = false;
    }

    result<run_result> finish(job_state state, const result<job_outcome>& outcome, std::stop_token stop)
    {
        if (const auto dropped = reports_.clean_up(); dropped > 0) state.metrics.reports_dropped = dropped;
        clean(*env_.secrets, state);
        if (auto ok = save_state(env_.files, env_.home, state); !ok) env_.log.error(base::sentence(ok.error()));
        std::optional<std::string> name;
        if (local_.managed()) {
            auto added = reports_.add(report_of(env_, local_, state));
            if (added)
                name = std::move(*added);
            else
                env_.log.error("the report could not be spooled: " + base::sentence(added.error()));
        }
        // Without a spooled report the marker stays: the next run reports this one from the state file.
        if (name || !local_.managed())
            if (auto gone = remove_marker(env_.files, env_.home); !gone) env_.log.error(base::sentence(gone.error()));
        if (name && server_) deliver(*name, stop);

        run_result r;
        if (!outcome)
            r.fault = outcome.error();
        else
            r.fault = outcome->shortfall;
        r.state = std::move(state);
        r.reports_pending = reports_.pending();
        return r;
    }

    void deliver(const std::string& name, std::stop_token stop)
    {
        // An interrupted run still says so; its own stop request must not stop that.
        const auto d =
            reports_.send_one(*server_, *local_.device_api_key, name, stop.stop_requested() ? std::stop_token{} : stop);
        if (d.fault) env_.log.warn("the report waits in the spool: " + d.fault->message);
    }

    environment& env_;
    domain::job job_;
    const local_config& local_;
    spool reports_;
    std::unique_ptr<http::client> client_;
    std::optional<control_plane> server_;
    bool online_ = false;
};

} // namespace

result<run_result> run_job(environment& env, domain::job j, const job_work& work, std::stop_token stop)
{
    // Without a config there is nothing to lock and no home to make.
    auto local = load_local_config(env.files, env.home.config, *env.secrets);
    if (!local) return base::failed(local);
    if (auto ok = prepare(env.files, env.home); !ok) return base::failed(ok);
    const auto holder = std::string{domain::name(j)} + ", process " + std::to_string(env.process_id) + ", since " +
                        base::to_rfc3339(env.clock.now());
    const auto lock = os::try_lock(env.home.lock(), holder);
    if (!lock) return std::unexpected(lock.error());
    if (auto ok = fix_host(env, *local); !ok) return base::failed(ok);
    return run{env, j, *local}(work, stop);
}

} // namespace xentz::agent
