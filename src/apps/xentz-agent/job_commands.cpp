#include "agent/check.hpp"
#include "agent/exit_code.hpp"
#include "agent/restore.hpp"
#include "agent/scheduled_run.hpp"
#include "base/size_text.hpp"
#include "context.hpp"
#include "job_output.hpp"
#include "output.hpp"
#include "progress_line.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

std::string backup_summary(const domain::metrics& m)
{
    if (!m.snapshot_id) return "Dumps alone, no folder is included";
    return "Snapshot " + m.snapshot_id.value_or("").substr(0, 8) +
           " made: " + std::to_string(m.files_total.value_or(0)) + " files, " +
           base::to_size(m.bytes_total.value_or(0)) + ", " + base::to_size(m.data_added_bytes.value_or(0)) + " new";
}

std::string check_summary(const domain::metrics& m)
{
    auto text = "The repository is without a flaw: its structure and part " + std::to_string(m.data_part.value_or(0)) +
                " of " + std::to_string(m.data_parts.value_or(0)) + " of its data";
    if (m.bytes_read) text += " (" + base::to_size(*m.bytes_read) + ")";
    text += " were read";
    if (m.files_restored)
        text += ", " + base::counted(*m.files_restored, "file") + " restored and " +
                std::to_string(m.files_compared.value_or(0)) + " compared with their source";
    return text;
}

std::string summary(const agent::job_state& s)
{
    const auto& m = s.metrics;
    const auto took = ", in " + base::to_words(std::chrono::milliseconds{s.duration_ms}) + ".";
    switch (s.job) {
    case domain::job::backup:
        return backup_summary(m) + took;
    case domain::job::retention:
        return base::counted(m.snapshots_kept.value_or(0), "snapshot") + " kept, " +
               std::to_string(m.snapshots_removed.value_or(0)) + " removed" +
               (m.bytes_freed ? ", " + base::to_size(*m.bytes_freed) + " freed" : "") + took;
    case domain::job::restore:
        return std::to_string(m.files_restored.value_or(0)) + " files and folders, " +
               base::to_size(m.bytes_restored.value_or(0)) + ", restored from snapshot " +
               m.snapshot_id.value_or("").substr(0, 8) + took;
    case domain::job::check:
        return check_summary(m) + took;
    }
    return "Done" + took;
}

void print_dumps(const agent::job_state& s)
{
    for (const auto& one : s.commands.value_or(std::vector<domain::command_result>{}))
        if (one.when == "dump" && one.status == "success")
            print_line("Dump " + one.name + " made: " + base::to_size(one.bytes.value_or(0)) + ", snapshot " +
                       one.snapshot_id.value_or("").substr(0, 8) + ".");
}

} // namespace

int conclude(const agent::environment& env, base::result<agent::run_result> r, bool json)
{
    if (!r) return print_fault(r.error());
    const auto& s = r->state;
    if (json)
        print_json(s);
    else if (s.status != domain::run_status::failure)
        print_line(env.secrets->clean(summary(s)));
    if (!json) print_dumps(s);
    for (const auto& warning : s.warnings) print_warning(warning);
    if (s.status == domain::run_status::partial && r->fault)
        print_warning(env.secrets->clean(base::sentence(*r->fault)));
    if (r->reports_pending > 0)
        print_warning(r->reports_pending == 1
                          ? "1 report waits in the spool; the next run sends it"
                          : std::to_string(r->reports_pending) + " reports wait in the spool; the next run sends them");
    if (!r->fault || s.status == domain::run_status::partial) return agent::exit_code_of(s.status);
    return print_fault({r->fault->code, env.secrets->clean(r->fault->message), env.secrets->clean(r->fault->remedy)});
}

namespace {

// A run that a timer started: does what is due, and says nothing where nothing is.
int run_by_timer(agent::environment& env, domain::job j, const agent::job_work& work, bool json, std::stop_token stop)
{
    auto done = agent::run_scheduled(env, *env.timers, j, work, std::move(stop));
    if (!done) return print_fault(done.error());
    return *done ? conclude(env, std::move(**done), json) : agent::exit_done;
}

int run_with_progress(agent::environment& env, domain::job j, std::stop_token stop, const context& c,
                      const std::function<agent::job_work(engine::progress_sink)>& make_work)
{
    const auto last = agent::load_state(env.files, env.home, j);
    const bool first = j == domain::job::backup && !(last && last->last_good);
    auto result = [&] {
        progress_line line{{.verbose = c.verbose, .estimate = first}, env.log};
        return agent::run_job(env, j, make_work([&](const engine::progress& p) { line.show(p); }), stop);
    }();
    return conclude(env, std::move(result), c.json);
}

struct preview_output {
    std::uint64_t kept = 0;
    std::uint64_t removed = 0;
    std::vector<std::string> removed_ids;
};
BOOST_DESCRIBE_STRUCT(preview_output, (), (kept, removed, removed_ids))

int preview(agent::environment& env, bool json, std::stop_token stop)
{
    const auto r = agent::preview_retention(env, std::move(stop));
    if (!r) return print_fault(r.error());
    if (json) {
        print_json(preview_output{r->kept, r->removed, r->removed_ids});
        return agent::exit_done;
    }
    print_line(base::counted(r->kept, "snapshot") + " would be kept, " + std::to_string(r->removed) + " removed.");
    for (const auto& id : r->removed_ids) print_line("  " + id);
    return agent::exit_done;
}

void add_check(CLI::App& app, context& c)
{
    auto* check = app.add_subcommand(
        "check", "prove that the repository can be restored: read a part of it, restore a sample and compare");
    auto scheduled = std::make_shared<bool>(false);
    check->add_flag("--scheduled", *scheduled, "only where it is due; what a scheduler's timer says");
    check->callback([&c, scheduled] {
        c.action = [&c, scheduled](agent::environment& env, std::stop_token stop) {
            if (*scheduled) return run_by_timer(env, domain::job::check, agent::check_work(), c.json, stop);
            return conclude(env, agent::run_job(env, domain::job::check, agent::check_work(), stop), c.json);
        };
    });
}

void add_restore(CLI::App& app, context& c)
{
    auto* restore = app.add_subcommand("restore", "get files back from a snapshot of this machine");
    auto o = std::make_shared<agent::restore_options>();
    auto target = std::make_shared<std::string>();
    restore->add_option("SNAPSHOT", o->snapshot, "an id, latest, or a day such as 2026-11-23")
        ->type_name("")
        ->capture_default_str();
    restore->add_option("--target", *target, "folder to restore into; the files keep their full paths below it")
        ->type_name("FOLDER")
        ->required();
    restore->add_option("--include", o->include, "restore only what this path or pattern matches; may be repeated")
        ->type_name("PATTERN");
    restore->add_option("--dump", o->dump, "restore this dump, one file, instead of a snapshot of files")
        ->type_name("NAME");
    restore->add_flag("--overwrite", o->overwrite,
                      "write into a folder that holds something; files of the same name are replaced");
    restore->callback([&c, o, target] {
        c.action = [&c, o, target](agent::environment& env, std::stop_token stop) {
            auto options = *o;
            options.target = std::filesystem::absolute(*target).lexically_normal();
            return run_with_progress(env, domain::job::restore, stop, c, [&](engine::progress_sink sink) {
                return agent::restore_work(options, std::move(sink));
            });
        };
    });
}

} // namespace

void add_job_commands(CLI::App& app, context& c)
{
    auto* backup = app.add_subcommand("backup", "back up now, as the policy says");
    auto options = std::make_shared<agent::backup_options>();
    backup->add_flag("--auto-init", options->auto_init,
                     "make a missing repository (one's own, without a control plane)");
    backup->add_flag("--accept-repository", options->accept_repository,
                     "the repository is meant to be another one than before: pin this one");
    auto scheduled = std::make_shared<bool>(false);
    backup->add_flag("--scheduled", *scheduled, "only where it is due; what a scheduler's timer says");
    backup->callback([&c, options, scheduled] {
        c.action = [&c, options, scheduled](agent::environment& env, std::stop_token stop) {
            if (*scheduled)
                return run_by_timer(env, domain::job::backup, agent::backup_work(*options, [](const auto&) {}), c.json,
                                    stop);
            return run_with_progress(env, domain::job::backup, stop, c, [&](engine::progress_sink sink) {
                return agent::backup_work(*options, std::move(sink));
            });
        };
    });
    auto* retention = app.add_subcommand("retention", "remove the snapshots that the policy's rules do not keep");
    auto dry_run = std::make_shared<bool>(false);
    retention->add_flag("--dry-run", *dry_run, "show what would be removed, and remove nothing");
    auto thin_when_due = std::make_shared<bool>(false);
    retention->add_flag("--scheduled", *thin_when_due, "only where it is due; what a scheduler's timer says");
    retention->callback([&c, dry_run, thin_when_due] {
        c.action = [&c, dry_run, thin_when_due](agent::environment& env, std::stop_token stop) {
            if (*thin_when_due) return run_by_timer(env, domain::job::retention, agent::retention_work(), c.json, stop);
            if (*dry_run) return preview(env, c.json, stop);
            return conclude(env, agent::run_job(env, domain::job::retention, agent::retention_work(), stop), c.json);
        };
    });
    add_check(app, c);
    add_restore(app, c);
}

} // namespace xentz::apps
