#include "agent/postponement.hpp"

#include "agent/config_source.hpp"
#include "agent/report.hpp"
#include "agent/state.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 16U;
constexpr std::chrono::hours most_ahead{6};

// state/postponed.json (docs/agent-files.md).
struct kept_postponements {
    std::uint32_t format = 1;
    std::vector<postponement> waiting;
};
BOOST_DESCRIBE_STRUCT(kept_postponements, (), (format, waiting))

domain::conditions known_conditions(environment& env, const local_config& local)
{
    if (!local.managed()) return local.conditions.value_or(domain::conditions{});
    const auto config = known_config(env);
    return config ? config->conditions.value_or(domain::conditions{}) : domain::conditions{};
}

domain::moment moment_of(environment& env, const os::time_zone& zone, const domain::conditions& conditions,
                         base::time_point due_at)
{
    const auto now = env.clock.now();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
    const auto local = seconds.time_since_epoch() + zone.offset_at(seconds);
    domain::moment m;
    m.time_of_day = std::chrono::floor<std::chrono::minutes>(local - std::chrono::floor<std::chrono::days>(local));
    m.waited = std::chrono::duration_cast<std::chrono::seconds>(now - due_at);
    if (conditions.not_on_battery) m.on_battery = env.circumstances.on_battery().value_or(false);
    if (conditions.not_on_metered) m.on_metered = env.circumstances.on_metered().value_or(false);
    return m;
}

job_state state_of(const postponement& p)
{
    job_state s;
    s.job = p.job;
    s.outcome = "postponed";
    s.started_at = s.finished_at = p.since;
    s.report_id = p.report_id;
    s.fault = domain::to_run_fault({base::fault_code::postponed,
                                    "the " + std::string{domain::name(p.job)} + " of " + base::to_rfc3339(p.due_at) +
                                        " waits: " + p.why + "; it runs at " + base::to_rfc3339(p.deadline) +
                                        " at the latest",
                                    ""});
    return s;
}

void tell(environment& env, const local_config& local, std::vector<postponement> all, const postponement& fresh)
{
    const auto state = state_of(fresh);
    env.log.info(state.fault->message);
    // The report first: one that is sent twice counts once.
    if (local.managed())
        if (const auto added = spool{env}.add(report_of(env, local, state)); !added)
            env.log.error("the report could not be spooled: " + base::sentence(added.error()));
    std::erase_if(all, [&](const postponement& p) { return p.job == fresh.job; });
    all.push_back(fresh);
    const kept_postponements kept{.waiting = std::move(all)};
    if (const auto saved = os::write_atomic(env.files, env.home.postponed(), wire::pretty_json(wire::to_json(kept)));
        !saved)
        env.log.error("what waits could not be written down: " + base::sentence(saved.error()));
}

} // namespace

std::vector<postponement> load_postponements(environment& env)
{
    const auto text = os::read_all(env.files, env.home.postponed(), most_bytes);
    if (!text) return {};
    auto kept = wire::decode<kept_postponements>(*text);
    if (!kept) return {};
    std::erase_if(kept->waiting, [&](const postponement& p) {
        // A clock that was far ahead wrote it; nothing would ever come after that.
        if (p.since > env.clock.now() + most_ahead) return true;
        const auto state = load_state(env.files, env.home, p.job);
        return state && state->last_good && state->last_good->finished_at >= p.since;
    });
    return std::move(kept->waiting);
}

bool must_wait(environment& env, const local_config& local, const os::time_zone& zone, const schedule::due_job& due)
{
    const auto conditions = known_conditions(env, local);
    if (conditions == domain::conditions{} || due.reason == schedule::reason::wished) return false;
    auto all = load_postponements(env);
    const auto known = std::ranges::find(all, due.job, &postponement::job);
    // The next time of the schedule must not begin the wait anew.
    const auto due_at = known == all.end() ? due.time : std::min(known->due_at, due.time);
    const auto hindrance = domain::find_hindrance(conditions, moment_of(env, zone, conditions, due_at));
    if (!hindrance) return false;
    if (known != all.end() && known->why == hindrance->why && known->deadline == due_at + hindrance->deadline)
        return true;
    const postponement fresh{.job = due.job,
                             .since = known == all.end() ? env.clock.now() : known->since,
                             .due_at = due_at,
                             .deadline = due_at + hindrance->deadline,
                             .why = hindrance->why,
                             .report_id = base::make_id_text("rep", env.random)};
    tell(env, local, std::move(all), fresh);
    return true;
}

} // namespace xentz::agent
