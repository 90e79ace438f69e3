#include "agent/job_run.hpp"

#include "agent/custody.hpp"
#include "agent/hooks.hpp"
#include "agent/killed_run.hpp"
#include "agent/plan.hpp"
#include "agent/preflight.hpp"
#include "agent/report.hpp"
#include "agent/timetable.hpp"
#include "os/lock.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::fault_code;
using base::result;

bool is_network(const base::fault& f)
{
    return f.code == fault_code::network_unreachable || f.code == fault_code::network_timeout ||
           f.code == fault_code::tls_failed;
}

void remember_flaw(job_state& s)
{
    if (s.job != domain::job::check) return;
    if (s.status == domain::run_status::success) s.flaw.reset();
    if (s.fault && is_flaw(*s.fault)) s.flaw = s.fault;
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
        s.flaw = previous->flaw;
    }
    if (!outcome) {
        s.fault = domain::to_run_fault(outcome.error());
        if (outcome.error().code == fault_code::interrupted) s.outcome = "interrupted";
        remember_flaw(s);
        return s;
    }
    s.status = outcome->status;
    s.outcome = outcome->outcome;
    s.metrics = outcome->metrics;
    s.warnings = outcome->warnings;
    s.unreadable = outcome->unreadable;
    s.unsupported = outcome->unsupported;
    if (outcome->shortfall) s.fault = domain::to_run_fault(*outcome->shortfall);
    remember_flaw(s);
    if (s.status != domain::run_status::failure)
        s.last_good =
            good_run{s.finished_at, s.status, s.metrics.snapshot_id, s.metrics.files_total, s.metrics.bytes_total};
    return s;
}

// What the config and the clock have to do with a run's result.
void add_circumstances(job_state& s, const effective_config& effective,
                       const std::optional<std::chrono::seconds>& clock_skew)
{
    if (!effective.config.version.empty()) s.config_version = effective.config.version;
    s.config_source = name(effective.origin);
    s.unsupported.insert(s.unsupported.end(), effective.unsupported.begin(), effective.unsupported.end());
    if (effective.fetch_fault) {
        s.warnings.push_back("ran with the config of " + base::to_rfc3339(effective.fetched_at) + ": " +
                             effective.fetch_fault->message);
        if (effective.fetch_fault->code == fault_code::config_refused && !s.outcome) s.outcome = "config-refused";
    }
    if (is_clock_wrong(clock_skew)) s.warnings.push_back(describe_skew(*clock_skew));
}

// The config of the first agent names no host; from now on it does, whatever the machine is called later. Where it
// cannot be written, somebody keeps it that way, and a backup is worth more than that line.
void fix_host(environment& env, local_config& local)
{
    if (!local.host.empty()) return;
    local.host = env.host_name;
    const auto lock = os::try_lock(env.home.config_lock(), "process " + std::to_string(env.process_id));
    const auto saved =
        lock ? save_local_config(env.files, env.home.config, local) : result<>{std::unexpected(lock.error())};
    if (!saved) env.log.warn("the host name could not be fixed in config.json: " + base::sentence(saved.error()));
}

// What is said of a fault is stored and sent: no secret may be in it.
void clean(const base::redactor& secrets, job_state& s)
{
    if (s.fault) {
        s.fault->message = secrets.clean(s.fault->message);
        s.fault->remedy = secrets.clean(s.fault->remedy);
    }
    if (s.flaw) s.flaw->message = secrets.clean(s.flaw->message);
    for (auto& warning : s.warnings) warning = secrets.clean(warning);
    if (s.commands)
        for (auto& command : *s.commands)
            if (command.message) command.message = secrets.clean(*command.message);
    for (auto& file : s.unreadable) file = {secrets.clean(file.path), secrets.clean(file.reason)};
}

// One run while the lock is held.
class run {
public:
    run(environment& env, domain::job j, const local_config& local, int run_lock)
        : env_(env), job_(j), local_(local), run_lock_(run_lock), reports_(env),
          client_(env.make_client(client_options_of(local, env.agent_version)))
    {
        if (local.managed()) server_.emplace(*client_, *local.server_url);
    }

    result<run_result> operator()(const job_work& work, std::stop_token stop)
    {
        if (auto ok = settle_killed_run(env_, local_, reports_); !ok) return base::failed(ok);
        const auto effective = load_config(env_, local_, server_ ? &*server_ : nullptr, stop);
        const auto& fetch_fault = effective ? effective->fetch_fault : std::optional{effective.error()};
        online_ = server_ && !(fetch_fault && is_network(*fetch_fault));
        if (effective) clock_skew_ = effective->clock_skew;
        if (online_) send_pending(!fetch_fault, stop);
        if (online_ && !fetch_fault) hand_over_password(stop);
        // The server knows that it sent the device away; the last real result stays in the state file.
        if (!effective && effective.error().code == fault_code::device_revoked)
            return std::unexpected(effective.error());
        if (effective)
            if (auto ok = check_enabled(*effective); !ok) return base::failed(ok);
        if (effective) set_timers(*effective);

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
        if (!commands_.empty()) state.commands = std::move(commands_);
        state.duration_ms = (env_.clock.elapsed() - began).count() / 1000;
        if (effective) {
            add_circumstances(state, *effective, clock_skew_);
            state.warnings.insert(state.warnings.end(), notes_.begin(), notes_.end());
            if (outcome) state.repository = without_credential(effective->config.restic.repository);
        }
        return finish(std::move(state), outcome, stop);
    }

private:
    // The timers follow the config that was just fetched. A scheduler that refuses costs no backup.
    void set_timers(const effective_config& effective)
    {
        const auto kept = keep_timers(env_, local_, effective.config.schedule);
        if (!kept)
            notes_.push_back("the schedule could not be set: " + base::sentence(kept.error()));
        else if (*kept)
            notes_.push_back(**kept);
    }

    result<job_outcome> attempt(const job_work& work, const effective_config& effective,
                                const std::optional<job_state>& previous, std::stop_token stop)
    {
        run_context context{env_, local_, effective, *client_, previous, run_lock_, clock_skew_, commands_, stop};
        return with_hooks(context, job_, work);
    }

    void send_pending(bool server_answers, std::stop_token stop)
    {
        if (!server_answers && !reports_.is_due()) return;
        const auto d = reports_.send(*server_, *local_.device_api_key, most_sent_per_run, stop);
        if (d.sent > 0) env_.log.info(std::to_string(d.sent) + " pending reports sent");
        if (d.fault) env_.log.warn("pending reports wait: " + d.fault->message);
        if (d.fault && is_network(*d.fault)) online_ = false;
    }

    // Until the server has it, this machine alone can open the repository.
    void hand_over_password(std::stop_token stop)
    {
        if (const auto done = finish_deposit(env_, local_, *server_, std::move(stop)); !done)
            notes_.push_back("the repository's password could not be handed over yet: " + base::sentence(done.error()));
    }

    result<run_result> finish(job_state state, const result<job_outcome>& outcome, std::stop_token stop)
    {
        if (const auto dropped = reports_.clean_up(clock_skew_ && !is_clock_wrong(clock_skew_)); dropped > 0)
            state.metrics.reports_dropped = dropped;
        clean(*env_.secrets, state);
        const auto name = keep(state);
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

    // Saves the state and spools the report of a managed agent; the name of its file in the spool. The state comes
    // first: from it the next run makes the report of one that was killed between the two.
    std::optional<std::string> keep(const job_state& state)
    {
        const auto text = state_text(state);
        std::vector<os::file_content> files{{env_.home.state(domain::name(state.job)), text}};
        std::optional<spool::spooled> report;
        if (local_.managed()) {
            report = reports_.prepare(report_of(env_, local_, state));
            files.push_back({env_.home.spool() / report->name, report->text});
        }
        const auto kept = os::write_atomic(env_.files, files);
        if (kept && report) return std::move(report->name);
        if (kept) return std::nullopt;
        env_.log.error("the result could not be kept: " + base::sentence(kept.error()));
        return report ? keep_report_alone(state) : std::nullopt;
    }

    // Where the state cannot be written, the server may still be told.
    std::optional<std::string> keep_report_alone(const job_state& state)
    {
        if (auto ok = save_state(env_.files, env_.home, state); !ok) env_.log.error(base::sentence(ok.error()));
        auto added = reports_.add(report_of(env_, local_, state));
        if (added) return std::move(*added);
        env_.log.error("the report could not be spooled: " + base::sentence(added.error()));
        return std::nullopt;
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
    int run_lock_;
    spool reports_;
    std::unique_ptr<http::client> client_;
    std::optional<control_plane> server_;
    bool online_ = false;
    std::optional<std::chrono::seconds> clock_skew_;
    std::vector<std::string> notes_; // for the report
    std::vector<domain::command_result> commands_;
};

constexpr std::chrono::hours longest_wait_for_lock{12};

result<std::unique_ptr<os::file_lock>> take_run_lock(environment& env, domain::job j, const run_options& options,
                                                     std::stop_token stop)
{
    const auto holder = std::string{domain::name(j)} + ", process " + std::to_string(env.process_id) + ", since " +
                        base::to_rfc3339(env.clock.now());
    auto lock = os::try_lock(env.home.lock(), holder);
    if (lock || lock.error().code != fault_code::run_locked) return lock;
    if (options.scheduled) {
        env.log.info("waiting: " + lock.error().message);
        return os::wait_for_lock(env.home.lock(), holder, longest_wait_for_lock, std::move(stop));
    }
    const auto marker = load_marker(env.files, env.home);
    if (marker && !env.processes.started_at(marker->process_id))
        lock.error().message += "; that agent is gone, but the restic that it started is still at work";
    return lock;
}

} // namespace

void fall_short(job_outcome& out, base::fault why)
{
    out.status = domain::run_status::partial;
    if (out.shortfall)
        out.shortfall->message += "; " + why.message;
    else
        out.shortfall = std::move(why);
}

result<run_result> run_job(environment& env, domain::job j, const job_work& work, std::stop_token stop,
                           const run_options& options)
{
    // Without a config there is nothing to lock and no home to make.
    auto local = load_local_config(env.files, env.home.config, *env.secrets);
    if (!local) return base::failed(local);
    if (j != domain::job::restore)
        if (auto ok = require_own_repository(*local); !ok) return base::failed(ok);
    if (auto ok = prepare(env.files, env.home); !ok) return base::failed(ok);
    const auto lock = take_run_lock(env, j, options, stop);
    if (!lock) return std::unexpected(lock.error());
    // While it waited for the lock, somebody may have changed it.
    local = load_local_config(env.files, env.home.config, *env.secrets);
    if (!local) return base::failed(local);
    if (options.still_due && !options.still_due(*local)) {
        run_result nothing;
        nothing.not_due = true;
        return nothing;
    }
    fix_host(env, *local);
    const auto awake = env.keep_awake ? env.keep_awake(std::string{domain::name(j)}) : nullptr;
    return run{env, j, *local, (*lock)->descriptor()}(work, stop);
}

} // namespace xentz::agent
