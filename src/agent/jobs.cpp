#include "agent/dumps.hpp"
#include "agent/engine_record.hpp"
#include "agent/job_run.hpp"
#include "agent/plan.hpp"
#include "agent/repository_access.hpp"
#include "agent/repository_pin.hpp"
#include "base/size_text.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::size_t most_listed_in_error = 20;

// What becomes of a repository that is not there: it is made only when it is certain that there is none, and never
// again after the first success.
result<> make_repository(run_context& c, engine::session& session, const std::optional<repository_pin>& pin,
                         const backup_options& options)
{
    const auto& address = c.effective.config.restic.repository;
    if (pin)
        return fail(fault_code::repository_changed,
                    "there is no repository any more, but this machine backs up to it since " +
                        base::to_rfc3339(pin->pinned_at),
                    "Find out what happened to it before anything is written: its storage may be missing or another "
                    "one; if a new one was meant, run `xentz-agent backup --accept-repository`");
    if (!c.local.managed() && !options.auto_init)
        return fail(fault_code::repository_missing, "there is no repository at " + without_credential(address),
                    "Run `xentz-agent backup --auto-init` to make it");
    c.env.log.info("making the repository");
    auto made = session.init(c.stop);
    // Somebody made it in between, or the answer to our own first try was lost.
    if (!made && made.error().code == fault_code::repository_exists) return {};
    return made;
}

result<> ensure_repository(run_context& c, engine::session& session, const backup_options& options)
{
    const auto& address = c.effective.config.restic.repository;
    if (options.accept_repository)
        if (auto ok = forget_pin(c.env.files, c.env.home); !ok) return ok;
    const auto pin = load_pin(c.env.files, c.env.home);
    if (!pin) return std::unexpected(pin.error());
    auto seen = look(c, session);
    if (!seen) return base::failed(seen);
    if (!seen->present) {
        if (auto ok = make_repository(c, session, *pin, options); !ok) return ok;
        seen = look(c, session);
        if (!seen) return base::failed(seen);
    }
    return check_pin(c.env, *pin, *seen, address, session, c.stop);
}

void warn_where_it_shrank(const run_context& c, job_outcome& out)
{
    if (out.metrics.files_total == std::uint64_t{0}) {
        out.warnings.emplace_back("the snapshot holds no file: check include and exclude");
        return;
    }
    if (!c.previous || !c.previous->last_good) return;
    const auto& before = *c.previous->last_good;
    const auto halved = [](const auto& was, const auto& is) { return was && is && *was > 0 && *is <= *was / 2; };
    if (halved(before.bytes_total, out.metrics.bytes_total) || halved(before.files_total, out.metrics.files_total))
        out.warnings.push_back("the snapshot holds " + base::counted(out.metrics.files_total.value_or(0), "file") +
                               ", " + base::to_size(out.metrics.bytes_total.value_or(0)) + "; the last one held " +
                               base::counted(before.files_total.value_or(0), "file") + ", " +
                               base::to_size(before.bytes_total.value_or(0)));
}

std::string listed(const std::vector<std::string>& paths)
{
    std::string out;
    for (std::size_t i = 0; i < paths.size() && i < most_listed_in_error; ++i) out += (i == 0 ? "" : ", ") + paths[i];
    return out;
}

// What a partial backup misses, in one text.
base::fault shortfall_of(const engine::backup_outcome& o, const std::vector<domain::unreadable>& unreadable)
{
    std::string list;
    std::size_t listed = 0;
    for (const auto& path : o.missing_sources) {
        if (listed++ >= most_listed_in_error) break;
        list += (list.empty() ? "" : "; ") + path + ": does not exist";
    }
    for (const auto& file : unreadable) {
        if (listed++ >= most_listed_in_error) break;
        list += (list.empty() ? "" : "; ") + file.path + ": " + file.reason;
    }
    const auto missing = o.unreadable_count + o.missing_sources.size();
    const auto what = missing == 1 ? "1 file or folder is" : std::to_string(missing) + " files or folders are";
    return {o.unreadable_count > 0 ? fault_code::source_unreadable : fault_code::source_missing,
            "a snapshot was made, but " + what + " not in it: " + list,
            "Give the agent the right to read them, or take them out of include"};
}

// The files and folders of the request, into a snapshot of their own.
result<> back_up_files(run_context& c, engine::session& session, const engine::backup_request& request,
                       const engine::progress_sink& on_progress, job_outcome& out)
{
    auto made = past_dead_locks(c, session, out.warnings, [&] { return session.backup(request, on_progress, c.stop); });
    if (!made && made.error().code == fault_code::source_missing)
        made.error().message += ": " + listed(request.include);
    if (!made) return base::failed(made);
    out.metrics = made->metrics;
    out.unreadable = std::move(made->unreadable);
    if (made->unreadable_count > 0) out.metrics.files_unreadable = made->unreadable_count;
    if (made->status == domain::run_status::partial) fall_short(out, shortfall_of(*made, out.unreadable));
    const auto confirmed = confirmed_snapshot(c, made->metrics.snapshot_id.value_or(""));
    if (confirmed) {
        out.metrics.snapshot_id = *confirmed;
    } else {
        out.status = domain::run_status::failure;
        out.shortfall = confirmed.error();
    }
    warn_where_it_shrank(c, out);
    for (const auto& clash : excluded_includes(request)) out.warnings.push_back(clash);
    return {};
}

bool any_dump_made(const run_context& c)
{
    return std::ranges::any_of(c.commands,
                               [](const auto& one) { return one.when == "dump" && one.status == "success"; });
}

result<job_outcome> back_up(run_context& c, const backup_options& options, const engine::progress_sink& on_progress)
{
    auto request = plan_backup(c.local, c.effective, c.env.home);
    if (!request) return base::failed(request);
    auto session = open_repository(c);
    if (!session) return base::failed(session);
    if (auto ok = ensure_repository(c, **session, options); !ok) return base::failed(ok);
    job_outcome out;
    if (auto ok = make_dumps(c, **session, out); !ok) return base::failed(ok);
    if (request->include.empty()) {
        if (!any_dump_made(c)) out.status = domain::run_status::failure;
    } else if (auto ok = back_up_files(c, **session, *request, on_progress, out); !ok) {
        return base::failed(ok);
    }
    out.unsupported = (*session)->unsupported();
    return out;
}

// The snapshots of dumps, each dump's by itself.
result<> retain_dumps(run_context& c, engine::session& session, domain::retention rules, job_outcome& out)
{
    if (c.effective.config.dumps.value_or(std::vector<std::string>{}).empty()) return {};
    rules.prune = false; // once, after the files'
    const auto scope = scope_of_dumps(c.local);
    auto done = past_dead_locks(c, session, out.warnings, [&] { return session.apply(rules, scope, false, c.stop); });
    if (!done) return base::failed(done);
    out.metrics.snapshots_kept = done->kept;
    out.metrics.snapshots_removed = done->removed;
    return {};
}

result<job_outcome> retain(run_context& c)
{
    const auto rules = plan_retention(c.effective);
    if (!rules) return std::unexpected(rules.error());
    job_outcome out;
    if (c.effective.config.restic.protection == "append-only") {
        out.outcome = "skipped";
        out.warnings.emplace_back("the repository is append-only: its snapshots are thinned out on the server");
        return out;
    }
    auto session = open_repository(c);
    if (!session) return base::failed(session);
    if (auto ok = require_pinned_repository(c, **session); !ok) return base::failed(ok);
    if (auto ok = check_clock(c.clock_skew); !ok) return base::failed(ok);
    if (auto ok = retain_dumps(c, **session, *rules, out); !ok) return base::failed(ok);
    auto done = past_dead_locks(c, **session, out.warnings,
                                [&] { return (*session)->apply(*rules, scope_of(c.local), false, c.stop); });
    if (!done) return base::failed(done);
    out.metrics.snapshots_kept = out.metrics.snapshots_kept.value_or(0) + done->kept;
    out.metrics.snapshots_removed = out.metrics.snapshots_removed.value_or(0) + done->removed;
    out.metrics.bytes_freed = done->bytes_freed;
    out.unsupported = (*session)->unsupported();
    return out;
}

// What both kinds of session need.
result<engine::repository> repository_of(environment& env, const local_config& local, const effective_config& effective)
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
    r.options = static_cast<const domain::restic_options&>(effective.config.restic);
    return r;
}

} // namespace

result<std::unique_ptr<engine::session>> open_repository(environment& env, const local_config& local,
                                                         const effective_config& effective)
{
    auto r = repository_of(env, local, effective);
    if (!r) return base::failed(r);
    return env.engine.open(*r);
}

result<std::unique_ptr<engine::session>> open_repository(run_context& c)
{
    auto r = repository_of(c.env, c.local, c.effective);
    if (!r) return base::failed(r);
    if (c.run_lock >= 0) r->inherited = {c.run_lock};
    r->on_process = [&env = c.env](std::int64_t process_id) { record_engine_process(env, process_id); };
    return c.env.engine.open(*r);
}

job_work backup_work(backup_options options, engine::progress_sink on_progress)
{
    return [options, on_progress = std::move(on_progress)](run_context& c) { return back_up(c, options, on_progress); };
}

job_work retention_work()
{
    return [](run_context& c) { return retain(c); };
}

} // namespace xentz::agent
