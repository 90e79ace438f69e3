#include "agent/hooks.hpp"

#include "agent/command_run.hpp"
#include "agent/local_commands.hpp"

#include <ranges>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

// A machine that goes down waits for no more.
constexpr std::chrono::seconds longest_after_interrupt{30};

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

result<> run_before(run_context& c, const std::vector<domain::hook>& hooks, const std::string& job,
                    std::vector<domain::command_result>& told)
{
    const command_settings settings{.variables = {{"XENTZ_JOB", job}, {"XENTZ_WHEN", "before"}}, .output = {}};
    for (const auto& h : hooks) {
        if (h.job != job || h.when != "before") continue;
        told.emplace_back().when = "before";
        const auto trouble = run_one(c, h, told.back(), settings, c.stop);
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
               const result<job_outcome>& outcome, std::vector<domain::command_result>& told)
{
    command_settings settings{.variables = {{"XENTZ_JOB", job}, {"XENTZ_WHEN", "after"}}, .output = {}};
    settings.variables["XENTZ_STATUS"] = status_of(outcome);
    if (outcome && outcome->metrics.snapshot_id) settings.variables["XENTZ_SNAPSHOT"] = *outcome->metrics.snapshot_id;
    if (!outcome) settings.variables["XENTZ_FAULT"] = base::name(outcome.error().code);
    if (c.stop.stop_requested()) settings.longest = longest_after_interrupt;
    for (const auto& h : hooks) {
        if (!is_wanted(h, job, outcome)) continue;
        told.emplace_back().when = "after";
        // They undo what those before the job did; a stop that has already ended the job must not stop them.
        const bool asked = c.stop.stop_requested();
        run_one(c, h, told.back(), settings, asked ? std::stop_token{} : c.stop);
    }
}

} // namespace

result<job_outcome> with_hooks(run_context& c, domain::job j, const job_work& work,
                               std::vector<domain::command_result>& told)
{
    const auto hooks = c.effective.config.hooks.value_or(std::vector<domain::hook>{});
    if (hooks.empty()) return work(c);
    const std::string job{domain::name(j)};
    const auto began = run_before(c, hooks, job, told);
    auto outcome = began ? work(c) : result<job_outcome>{std::unexpected(began.error())};
    run_after(c, hooks, job, outcome, told);
    return outcome;
}

} // namespace xentz::agent
