#include "agent/timetable.hpp"

#include "agent/config_source.hpp"
#include "agent/postponement.hpp"
#include "agent/spool.hpp"
#include "agent/state.hpp"
#include "base/time_text.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::result;
using domain::job;

constexpr std::uint64_t largest_memory = std::uint64_t{1} << 20U;

// state/schedule.json (docs/agent-files.md).
struct kept_memory {
    std::uint32_t format = 1;
    std::string fingerprint;
    base::time_point since;
    std::vector<base::time_point> backup, retention, check; // times of the schedule that were met
    std::optional<std::string> wish;
    std::optional<base::time_point> wished;
    std::optional<bool> wish_done;
};
BOOST_DESCRIBE_STRUCT(kept_memory, (), (format, fingerprint, since, backup, retention, check, wish, wished, wish_done))

// schedule.json: how the timers call the agent, as it was when they were installed.
struct kept_invocation {
    std::uint32_t format = 1;
    std::string program;
    std::optional<std::string> config;
    std::optional<std::string> agent_home; // XENTZ_AGENT_HOME
    std::optional<std::string> restic;     // XENTZ_RESTIC
};
BOOST_DESCRIBE_STRUCT(kept_invocation, (), (format, program, config, agent_home, restic))

std::optional<std::string> variable_of(const schedule::invocation& command, const std::string& name)
{
    const auto at = command.environment.find(name);
    return at == command.environment.end() ? std::nullopt : std::optional{at->second};
}

result<> keep_invocation(environment& env, const schedule::invocation& command)
{
    kept_invocation kept{.program = command.program.string(),
                         .agent_home = variable_of(command, "XENTZ_AGENT_HOME"),
                         .restic = variable_of(command, "XENTZ_RESTIC")};
    if (command.config) kept.config = command.config->string();
    return os::write_atomic(env.files, env.home.invocation(), wire::pretty_json(wire::to_json(kept)));
}

// A run by hand, from another shell or by another build, must not change how the timers call the agent; but a program
// that is gone would never run again.
schedule::invocation invocation_of(const environment& env, const scheduling& s)
{
    const auto text = os::read_all(env.files, env.home.invocation(), largest_memory);
    if (!text) return s.command;
    const auto kept = wire::decode<kept_invocation>(*text);
    if (!kept || !env.files.info(kept->program)) return s.command;
    schedule::invocation command{.program = kept->program};
    if (kept->config) command.config = *kept->config;
    if (kept->agent_home) command.environment["XENTZ_AGENT_HOME"] = *kept->agent_home;
    if (kept->restic) command.environment["XENTZ_RESTIC"] = *kept->restic;
    return command;
}

schedule::identity identity_of(const environment& env, const local_config& local)
{
    return {local.device_id.value_or(local.host + env.home.folder.string()), env.machine_id};
}

result<schedule::spec> spec_for(const environment& env, const local_config& local, const domain::schedule& wanted)
{
    return schedule::spec_of(wanted, identity_of(env, local));
}

// A damaged file counts as none: it must not stop a backup.
schedule::memory load_memory(environment& env)
{
    const auto text = os::read_all(env.files, env.home.schedule_memory(), largest_memory);
    if (!text) return {};
    const auto value = wire::parse_json(*text);
    if (!value) return {};
    const auto kept = wire::from_json<kept_memory>(*value);
    if (!kept) return {};
    schedule::memory m{.fingerprint = kept->fingerprint, .since = kept->since};
    if (kept->wish && kept->wished) {
        m.wish = *kept->wish;
        m.wished = *kept->wished;
        m.wish_done = kept->wish_done.value_or(false);
    }
    m.met = {{job::backup, kept->backup}, {job::retention, kept->retention}, {job::check, kept->check}};
    return m;
}

void save_memory(environment& env, schedule::memory m)
{
    kept_memory kept{.fingerprint = m.fingerprint,
                     .since = m.since,
                     .backup = m.met[job::backup],
                     .retention = m.met[job::retention],
                     .check = m.met[job::check]};
    if (!m.wish.empty()) {
        kept.wish = m.wish;
        kept.wished = m.wished;
        kept.wish_done = m.wish_done;
    }
    const auto saved = os::write_atomic(env.files, env.home.schedule_memory(), wire::pretty_json(wire::to_json(kept)));
    // Without it a clock that jumps may cost one run too many, no run too few.
    if (!saved) env.log.warn("the memory of the schedule could not be written: " + base::sentence(saved.error()));
}

schedule::record record_of(environment& env, job j, const std::optional<std::string>& config_version)
{
    const auto state = load_state(env.files, env.home, j);
    if (!state) return {};
    schedule::record r{.started_at = state->started_at};
    r.failed = state->status == domain::run_status::failure;
    r.may_pass = state->outcome == "interrupted" || (state->fault && state->fault->retry);
    if (state->last_good) r.last_good = state->last_good->finished_at;
    r.knew_wish = config_version && state->config_version == config_version;
    return r;
}

result<schedule::timer_set> timers_for(const environment& env, const scheduling& s, const local_config& local,
                                       const domain::schedule& wanted)
{
    const auto spec = spec_for(env, local, wanted);
    if (!spec) return std::unexpected(spec.error());
    auto timers = schedule::timers_of(*spec, invocation_of(env, s), s.instance);
    if (!timers) return timers;
    timers->log = env.home.folder / "logs" / "scheduler.log";
    timers->writes = {env.home.folder};
    if (env.home.config.parent_path() != env.home.folder) timers->writes.push_back(env.home.config.parent_path());
    return timers;
}

std::string next_backup(environment& env, const scheduling& s, const local_config& local)
{
    const auto plan = ask_plan(env, s, local);
    if (!plan || !plan->next.contains(job::backup)) return {};
    return "; the next backup comes at " + base::to_rfc3339(plan->next.at(job::backup));
}

} // namespace

domain::schedule known_schedule(environment& env, const local_config& local)
{
    if (!local.managed()) return local.schedule;
    const auto config = known_config(env);
    return config ? config->schedule : domain::default_policy().schedule;
}

result<schedule::plan> ask_plan(environment& env, const scheduling& s, const local_config& local)
{
    const auto spec = spec_for(env, local, known_schedule(env, local));
    if (!spec) return std::unexpected(spec.error());
    schedule::situation now{.now = env.clock.now(), .memory = load_memory(env), .enabled = local.enabled};
    now.managed = local.managed();
    std::optional<std::string> config_version;
    if (now.managed) {
        if (const auto cached = load_cached_config(env.files, env.home)) {
            now.last_contact = cached->fetched_at;
            const auto config = config_in(*cached);
            if (cached->revoked || (config && !config->enabled)) now.enabled = false;
            if (config) {
                now.wish = config->backup_now.value_or("");
                config_version = config->version;
            }
        }
        if (env.files.info(env.home.spool())) now.reports_pending = spool{env}.pending();
    }
    for (const auto& p : load_postponements(env)) now.postponed.insert(p.job);
    for (const auto& j : spec->jobs) now.records[j.job] = record_of(env, j.job, config_version);
    auto plan = schedule::make_plan(*spec, identity_of(env, local), s.zone, now);
    if (plan.memory != now.memory) save_memory(env, plan.memory);
    return plan;
}

result<std::optional<std::string>> keep_timers(environment& env, const local_config& local,
                                               const domain::schedule& wanted)
{
    if (env.timers == nullptr || !local.scheduler) return std::nullopt;
    const auto host = schedule::make_host(*local.scheduler, env.timers->around);
    if (!host) return std::nullopt;
    const auto timers = timers_for(env, *env.timers, local, wanted);
    if (!timers) return std::unexpected(timers.error());
    const auto before = host->look(*timers);
    if (!before) return std::unexpected(before.error());
    if (before->presence == schedule::presence::as_wanted) return std::nullopt;
    if (const auto ok = host->apply(*timers); !ok) return std::unexpected(ok.error());
    return "the timers of " + *local.scheduler +
           (before->presence == schedule::presence::absent ? " were gone and were made anew"
                                                           : " were set to the schedule") +
           " (" + before->difference + ")" + next_backup(env, *env.timers, local);
}

result<timer_status> look_at_timers(environment& env, const scheduling& s, const local_config& local)
{
    timer_status out;
    if (!local.scheduler) return out;
    out.scheduler = *local.scheduler;
    const auto host = schedule::make_host(*local.scheduler, s.around);
    const auto timers = timers_for(env, s, local, known_schedule(env, local));
    if (!timers) return std::unexpected(timers.error());
    if (!host) {
        out.difference = "config.json names a scheduler that does not exist";
        return out;
    }
    const auto seen = host->look(*timers);
    if (!seen) return std::unexpected(seen.error());
    out.presence = seen->presence;
    out.difference = seen->difference;
    out.caveat = host->caveat();
    for (const auto& [task, at] : seen->next)
        if (task != schedule::task::run_due) out.next_runs.push_back(at);
    if (out.presence == schedule::presence::as_wanted && seen->next.empty())
        if (const auto plan = ask_plan(env, s, local))
            for (const auto& [job, at] : plan->next) out.next_runs.push_back(at);
    std::ranges::sort(out.next_runs);
    return out;
}

finding examine_timers(environment& env)
{
    const std::string again = "Run `xentz-agent install --scheduler auto`";
    const auto local = load_local_config(env.files, env.home.config, *env.secrets);
    if (!local || env.timers == nullptr) return {"schedule", finding_state::not_checked, "there is no config", ""};
    const auto timers = look_at_timers(env, *env.timers, *local);
    if (!timers) return {"schedule", finding_state::problem, timers.error().message, timers.error().remedy};
    if (timers->scheduler.empty())
        return {"schedule", finding_state::warning, "nothing is scheduled",
                again + ", or call `xentz-agent run-due` every hour from a scheduler of your own"};
    if (timers->presence != schedule::presence::as_wanted)
        return {"schedule", finding_state::problem, "runs may not come: " + timers->difference, again};
    if (!timers->caveat.empty()) return {"schedule", finding_state::warning, timers->caveat, ""};
    return {"schedule", finding_state::good,
            timers->scheduler + " starts the runs" +
                (timers->next_runs.empty() ? "" : ", the next at " + base::to_rfc3339(timers->next_runs.front())),
            ""};
}

result<std::string> install_timers(environment& env, const scheduling& s, local_config& local, const std::string& wish)
{
    if (wish == "none") {
        if (local.scheduler)
            if (auto ok = remove_timers(env, s, local); !ok) return base::failed(ok);
        return "Nothing is scheduled: call `xentz-agent run-due` every hour from a scheduler of your own";
    }
    const auto chosen = schedule::choose_host(wish, s.around);
    if (!chosen) return std::unexpected(chosen.error());
    if (auto ok = keep_invocation(env, s.command); !ok) return base::failed(ok);
    const auto timers = timers_for(env, s, local, known_schedule(env, local));
    if (!timers) return std::unexpected(timers.error());
    const std::string name{chosen->host->name()};
    // Another scheduler than before: the old one must not start the same jobs.
    if (local.scheduler && local.scheduler != name)
        if (auto ok = remove_timers(env, s, local); !ok) return base::failed(ok);
    if (auto ok = chosen->host->apply(*timers); !ok) return base::failed(ok);
    local.scheduler = name;
    if (auto ok = save_local_config(env.files, env.home.config, local); !ok) return base::failed(ok);
    auto sentence = "Scheduled with " + name + ", because " + chosen->why + next_backup(env, s, local);
    if (const auto caveat = chosen->host->caveat(); !caveat.empty()) sentence += ". Know that " + caveat;
    return sentence;
}

result<> remove_timers(environment& env, const scheduling& s, local_config& local)
{
    // Also where config.json does not say so: an older one may have been lost.
    const auto names = s.around.platform == "linux"   ? std::vector<std::string>{"systemd", "cron"}
                       : s.around.platform == "macos" ? std::vector<std::string>{"launchd"}
                                                      : std::vector<std::string>{"task-scheduler"};
    for (const auto& name : names) {
        const auto host = schedule::make_host(name, s.around);
        auto gone = host->remove(s.instance);
        if (!gone && local.scheduler == name) return gone;
        if (!gone) env.log.info(name + ": " + base::sentence(gone.error()));
    }
    if (!local.scheduler) return {};
    local.scheduler.reset();
    return save_local_config(env.files, env.home.config, local);
}

} // namespace xentz::agent
