#include "agent/hooks.hpp"

#include "agent/command_run.hpp"
#include "agent/local_commands.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

// A machine that goes down waits for no more: all together.
constexpr std::chrono::milliseconds longest_after_stop = std::chrono::seconds{30};

std::string status_of(const result<job_outcome>& outcome)
{
    return std::string{domain::name(outcome ? outcome->status : domain::run_status::failure)};
}

// Why it failed; nothing where it did not.
std::optional<std::string> run_one(run_context& c, const domain::hook& h, domain::command_result& told,
                                   const command_settings& settings, std::stop_token stop)
{
    told.name = h.command;
    told.status = "failure";
    const auto command = find_command(c.env, c.local, c.effective, h.command);
    if (!command) return told.message = base::sentence(command.error());
    const auto ended = run_command(c.env, *command, settings, std::move(stop));
    if (!ended) return told.message = base::sentence(ended.error());
    told.duration_ms = ended->duration.count();
    if (!ended->output.empty()) told.output = ended->output;
    if (!ended->good()) return told.message = ended->trouble;
    told.status = "success";
    return std::nullopt;
}

result<> run_before(run_context& c, const std::vector<domain::hook>& hooks, const std::string& job)
{
    const command_settings settings{.variables = {{"XENTZ_JOB", job}, {"XENTZ_WHEN", "before"}}, .output = {}};
    for (const auto& h : hooks) {
        if (h.job != job || h.when != "before") continue;
        c.commands.emplace_back().when = "before";
        const auto trouble = run_one(c, h, c.commands.back(), settings, c.stop);
        if (c.stop.stop_requested()) return fail(fault_code::interrupted, "interrupted before the run began");
        if (!trouble || h.on_failure != "stop") continue;
        return fail(fault_code::hook_failed,
                    "the " + job + " did not begin: the command " + h.command + " failed before it (" + *trouble + ")",
                    "See what it says in " + c.env.home.log().string());
    }
    return {};
}

bool is_wanted(const domain::hook& h, const std::string& job, const result<job_outcome>& outcome)
{
    const bool good = outcome && outcome->status != domain::run_status::failure;
    return h.job == job && (h.when == "after" || h.when == (good ? "after-success" : "after-failure"));
}

void run_after(run_context& c, const std::vector<domain::hook>& hooks, const std::string& job,
               const result<job_outcome>& outcome)
{
    command_settings settings{.variables = {{"XENTZ_JOB", job}, {"XENTZ_WHEN", "after"}}, .output = {}};
    settings.variables["XENTZ_STATUS"] = status_of(outcome);
    if (outcome && outcome->metrics.snapshot_id) settings.variables["XENTZ_SNAPSHOT"] = *outcome->metrics.snapshot_id;
    if (!outcome) settings.variables["XENTZ_FAULT"] = base::name(outcome.error().code);
    std::optional<std::chrono::microseconds> stopped_at;
    for (const auto& h : hooks) {
        if (!is_wanted(h, job, outcome)) continue;
        if (c.stop.stop_requested()) {
            const auto now = c.env.clock.elapsed();
            if (!stopped_at) stopped_at = now;
            const auto used = std::chrono::duration_cast<std::chrono::milliseconds>(now - *stopped_at);
            settings.longest = std::max(longest_after_stop - used, std::chrono::milliseconds{1});
        }
        c.commands.emplace_back().when = "after";
        // They undo what those before the job did: a stop must not stop them.
        run_one(c, h, c.commands.back(), settings, {});
    }
}

} // namespace

result<job_outcome> with_hooks(run_context& c, domain::job j, const job_work& work)
{
    const auto hooks = c.effective.config.hooks.value_or(std::vector<domain::hook>{});
    if (hooks.empty()) return work(c);
    const std::string job{domain::name(j)};
    const auto began = run_before(c, hooks, job);
    auto outcome = began ? work(c) : result<job_outcome>{std::unexpected(began.error())};
    run_after(c, hooks, job, outcome);
    return outcome;
}

} // namespace xentz::agent
