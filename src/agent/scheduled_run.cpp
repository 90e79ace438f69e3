#include "agent/scheduled_run.hpp"

#include "agent/killed_run.hpp"
#include "agent/plan.hpp"
#include "agent/postponement.hpp"
#include "os/lock.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::result;

constexpr std::chrono::minutes start_comes_early{1};

const schedule::due_job* find_due(const schedule::plan& p, domain::job j)
{
    const auto at = std::ranges::find(p.due, j, &schedule::due_job::job);
    return at == p.due.end() ? nullptr : &*at;
}

run_options options_for(environment& env, const scheduling& s, domain::job j)
{
    run_options o{.scheduled = true};
    o.still_due = [&env, &s, j](const local_config& local) {
        const auto plan = ask_plan(env, s, local);
        const auto* due = plan ? find_due(*plan, j) : nullptr;
        return due != nullptr && !must_wait(env, local, s.zone, *due);
    };
    return o;
}

// What a run does besides its work, for an hour without one.
void contact(environment& env, const local_config& local, std::stop_token stop)
{
    const auto lock = os::try_lock(env.home.lock(), "run-due, process " + std::to_string(env.process_id));
    if (!lock) return; // a run is under way, and does all of this
    spool reports{env};
    if (const auto ok = settle_killed_run(env, local, reports); !ok) env.log.warn(base::sentence(ok.error()));
    const auto client = env.make_client(client_options_of(local, env.agent_version));
    control_plane server{*client, *local.server_url};
    const auto config = load_config(env, local, &server, stop);
    const bool answered = config && !config->fetch_fault;
    if (!answered)
        env.log.warn("the control plane: " + (config ? config->fetch_fault->message : config.error().message));
    if (answered || reports.is_due()) {
        const auto d = reports.send(server, *local.device_api_key, most_sent_per_run, stop);
        if (d.sent > 0) env.log.info(std::to_string(d.sent) + " pending reports sent");
    }
    if (!config || !check_enabled(*config)) return;
    const auto kept = keep_timers(env, local, config->config.schedule);
    if (!kept)
        env.log.error(base::sentence(kept.error()));
    else if (*kept)
        env.log.info(**kept);
}

} // namespace

result<std::optional<run_result>> run_scheduled(environment& env, const scheduling& s, domain::job j,
                                                const job_work& work, std::stop_token stop)
{
    auto local = load_local_config(env.files, env.home.config, *env.secrets);
    if (!local) return base::failed(local);
    const auto plan = ask_plan(env, s, *local);
    if (!plan) return std::unexpected(plan.error());
    if (find_due(*plan, j) == nullptr) {
        const auto next = plan->next.find(j);
        const auto early =
            next == plan->next.end() ? base::time_point::duration::max() : next->second - env.clock.now();
        if (early > start_comes_early) {
            env.log.info(std::string{domain::name(j)} + " is not due");
            return std::nullopt;
        }
        if (!s.wait(std::chrono::ceil<std::chrono::milliseconds>(early), stop))
            return base::fail(base::fault_code::interrupted, "interrupted before the run began");
    }
    auto done = run_job(env, j, work, stop, options_for(env, s, j));
    if (!done) return base::failed(done);
    if (done->not_due) {
        // Where it has to wait, the control plane is to know.
        if (local->managed() && spool{env}.pending() > 0) contact(env, *local, stop);
        return std::nullopt;
    }
    // Remembers which time was met, before a clock may jump.
    if (const auto after = ask_plan(env, s, *local); !after) env.log.warn(base::sentence(after.error()));
    return std::move(*done);
}

result<hourly_result> run_due(environment& env, const scheduling& s,
                              const std::function<job_work(domain::job)>& work_of, std::stop_token stop)
{
    hourly_result out;
    std::vector<domain::job> tried;
    while (!stop.stop_requested()) {
        auto local = load_local_config(env.files, env.home.config, *env.secrets);
        if (!local) return base::failed(local);
        const auto plan = ask_plan(env, s, *local);
        if (!plan) return std::unexpected(plan.error());
        const auto next = std::ranges::find_if(
            plan->due, [&](const schedule::due_job& d) { return std::ranges::find(tried, d.job) == tried.end(); });
        if (next == plan->due.end()) {
            if (out.contacted || !out.runs.empty() || !(plan->contact || plan->send_reports)) return out;
            contact(env, *local, stop);
            out.contacted = true;
            // Once more round: the config that it brought may say that something is due, or need not wait.
            tried.clear();
            continue;
        }
        tried.push_back(next->job);
        auto done = run_job(env, next->job, work_of(next->job), stop, options_for(env, s, next->job));
        if (!done || !done->not_due) out.runs.emplace_back(next->job, std::move(done));
    }
    return out;
}

} // namespace xentz::agent
