#include "agent/job_run.hpp"
#include "agent/plan.hpp"
#include "agent/preflight.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::size_t most_listed_in_error = 20;

// A repository is made only when it is certain that there is none, and never again after the first success.
result<> ensure_repository(run_context& c, engine::session& session, bool auto_init)
{
    const auto& address = c.effective.config.restic.repository;
    auto presence = find_repository(address, c.client, session, c.stop);
    if (!presence) return base::failed(presence);
    if (*presence == repository_presence::present) return {};
    const bool known = c.previous && c.previous->last_good && c.previous->repository == without_credential(address);
    if (known)
        return fail(
            fault_code::repository_changed,
            "the repository is empty, but this machine backed up to it on " +
                base::to_rfc3339(c.previous->last_good->finished_at),
            "Find out what happened to it before anything is written: its storage may be missing or another one");
    if (!c.local.managed() && !auto_init)
        return fail(fault_code::repository_missing, "there is no repository at " + without_credential(address),
                    "Run `xentz-agent backup --auto-init` to make it");
    c.env.log.info("making the repository");
    auto made = session.init(c.stop);
    // Somebody made it in between, or the answer to our own first try was lost.
    if (!made && made.error().code == fault_code::repository_exists) return {};
    return made;
}

std::string listed(const std::vector<std::string>& paths)
{
    std::string out;
    for (std::size_t i = 0; i < paths.size() && i < most_listed_in_error; ++i) out += (i == 0 ? "" : ", ") + paths[i];
    return out;
}

// What a partial backup misses, in one text.
base::fault shortfall_of(const engine::backup_outcome& o)
{
    std::string list;
    std::size_t listed = 0;
    for (const auto& path : o.missing_sources) {
        if (listed++ >= most_listed_in_error) break;
        list += (list.empty() ? "" : "; ") + path + ": does not exist";
    }
    for (const auto& file : o.unreadable) {
        if (listed++ >= most_listed_in_error) break;
        list += (list.empty() ? "" : "; ") + file.path + ": " + file.reason;
    }
    const auto missing = o.unreadable_count + o.missing_sources.size();
    const auto what = missing == 1 ? "1 file or folder is" : std::to_string(missing) + " files or folders are";
    return {o.unreadable_count > 0 ? fault_code::source_unreadable : fault_code::source_missing,
            "a snapshot was made, but " + what + " not in it: " + list,
            "Give the agent the right to read them, or take them out of include"};
}

result<job_outcome> back_up(run_context& c, bool auto_init, const engine::progress_sink& on_progress)
{
    auto request = plan_backup(c.local, c.effective, c.env.home);
    if (!request) return base::failed(request);
    auto session = open_repository(c.env, c.local, c.effective);
    if (!session) return base::failed(session);
    if (auto ok = ensure_repository(c, **session, auto_init); !ok) return base::failed(ok);
    auto made = (*session)->backup(*request, on_progress, c.stop);
    if (!made && made.error().code == fault_code::source_missing)
        made.error().message += ": " + listed(request->include);
    if (!made) return base::failed(made);
    job_outcome out;
    out.status = made->status;
    out.metrics = made->metrics;
    if (made->unreadable_count > 0) out.metrics.files_unreadable = made->unreadable_count;
    if (made->status == domain::run_status::partial) out.shortfall = shortfall_of(*made);
    if (made->metrics.files_total == std::uint64_t{0})
        out.warnings.emplace_back("the snapshot holds no file: check include and exclude");
    for (const auto& clash : excluded_includes(*request)) out.warnings.push_back(clash);
    return out;
}

result<job_outcome> retain(run_context& c)
{
    const auto rules = plan_retention(c.effective);
    if (!rules) return std::unexpected(rules.error());
    auto session = open_repository(c.env, c.local, c.effective);
    if (!session) return base::failed(session);
    const auto& address = c.effective.config.restic.repository;
    auto presence = find_repository(address, c.client, **session, c.stop);
    if (!presence) return base::failed(presence);
    if (*presence == repository_presence::absent)
        return fail(fault_code::repository_missing, "there is no repository at " + without_credential(address),
                    "Run `xentz-agent backup` first");
    job_outcome out;
    auto done = (*session)->apply(*rules, scope_of(c.local), false, c.stop);
    // A restic that was killed leaves its lock behind, and retention would fail from then on. We hold the run lock, so
    // no restic of this agent is at work; whoever else is alive keeps its lock.
    if (!done && done.error().code == fault_code::repository_locked && (*session)->unlock(c.stop)) {
        const auto why = done.error().message;
        done = (*session)->apply(*rules, scope_of(c.local), false, c.stop);
        if (done) out.warnings.push_back("a lock whose holder is gone was removed: " + why);
    }
    if (!done) return base::failed(done);
    out.metrics.snapshots_kept = done->kept;
    out.metrics.snapshots_removed = done->removed;
    out.metrics.bytes_freed = done->bytes_freed;
    return out;
}

} // namespace

result<std::unique_ptr<engine::session>> open_repository(environment& env, const local_config& local,
                                                         const effective_config& effective)
{
    const auto& file = local.restic.password_file;
    const auto info = file.empty() ? base::fail(fault_code::not_found, "") : env.files.info(file);
    if (!info || info->bytes == 0)
        return fail(fault_code::password_missing,
                    "the repository's password file " +
                        (file.empty() ? "is not named in config.json" : file + " is missing or empty"),
                    "Put the password back from your own copy; without it nothing can be restored");
    engine::repository r;
    r.address = effective.config.restic.repository;
    r.password_file = file;
    if (local.ca_file) r.ca_file = *local.ca_file;
    r.options = effective.config.restic;
    return env.engine.open(r);
}

job_work backup_work(bool auto_init, engine::progress_sink on_progress)
{
    return [auto_init, on_progress = std::move(on_progress)](run_context& c) {
        return back_up(c, auto_init, on_progress);
    };
}

job_work retention_work()
{
    return [](run_context& c) { return retain(c); };
}

} // namespace xentz::agent
