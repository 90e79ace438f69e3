#include "agent/status.hpp"

#include "agent/local_config.hpp"
#include "agent/timetable.hpp"
#include "base/size_text.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

constexpr std::chrono::hours backup_grows_old{48};

std::string ago(base::time_point t, base::time_point now)
{
    if (t > now) return "at " + base::to_rfc3339(t) + " by a clock that was ahead";
    return base::to_words(std::chrono::duration_cast<std::chrono::milliseconds>(now - t)) + " ago";
}

bool is_of_dumps(const job_state& j) { return j.fault && j.fault->code == base::name(base::fault_code::dump_failed); }

void judge_active(status& s, base::time_point now)
{
    // Whatever the last backup says: it went into this repository.
    if (s.check && s.check->flaw) {
        s.verdict = "The last check found a flaw: not all that was backed up can be restored";
        s.remedy = s.check->flaw->remedy;
        return;
    }
    if (!s.backup) {
        s.verdict = "No backup was made yet";
        s.remedy = "Run `xentz-agent backup`";
        return;
    }
    const auto& good = s.backup->last_good;
    const auto last = good ? "the last good one is from " + base::to_rfc3339(good->finished_at) + " (" +
                                 ago(good->finished_at, now) + ")"
                           : std::string{"there is no good one"};
    switch (s.backup->status) {
    case domain::run_status::failure:
        s.verdict = "The last backup failed; " + last;
        break;
    case domain::run_status::partial:
        s.verdict = std::string{"The last backup is incomplete: "} +
                    (is_of_dumps(*s.backup) ? "a dump is not in it" : "some files are not in it");
        break;
    case domain::run_status::success:
        if (now - s.backup->finished_at > backup_grows_old) {
            s.verdict = "The last backup is old: " + last;
            s.remedy = "Run `xentz-agent backup`";
        } else {
            s.verdict = "This machine's last backup was good";
        }
        break;
    }
    if (s.backup->status != domain::run_status::success && s.backup->fault) s.remedy = s.backup->fault->remedy;
}

void judge(status& s, base::time_point now)
{
    if (s.state == "not-enrolled") {
        s.verdict = "This machine is not enrolled: nothing is backed up";
        s.remedy = "Run `xentz-agent install --token TOKEN --server URL`";
    } else if (s.state == "revoked") {
        s.verdict = "The control plane has revoked this device: nothing is backed up";
        s.remedy = "Ask an administrator";
    } else if (s.state == "disabled") {
        const bool own = s.config.origin == "local";
        s.verdict = std::string{own ? "This agent is disabled in its config.json"
                                    : "The control plane has disabled this device"} +
                    ": nothing is backed up";
        s.remedy = own ? "Set enabled to true there" : "Ask an administrator";
    } else {
        judge_active(s, now);
    }
}

std::string age(base::time_point t, base::time_point now)
{
    return base::to_words(std::chrono::duration_cast<std::chrono::milliseconds>(now - t));
}

void note_age(status& s, const std::optional<job_state>& j, std::chrono::days most, const std::string& what,
              base::time_point now)
{
    if (!j) return;
    if (j->flaw && j->fault && is_flaw(*j->fault)) return; // the verdict itself
    if (j->status == domain::run_status::failure)
        s.notes.push_back("The last " + what + " failed" + (j->fault ? ": " + j->fault->message : ""));
    else if (now - j->finished_at > most)
        s.notes.push_back("The last " + what + " is " + age(j->finished_at, now) + " old");
}

// What the verdict leaves out, because it is about the next backups rather than the last one.
void note(status& s, base::time_point now)
{
    if (s.state != "active") return;
    constexpr std::chrono::minutes jump{5};
    for (const auto* j : {&s.backup, &s.retention, &s.check, &s.restore})
        if (*j && (*j)->finished_at > now + jump) {
            s.notes.push_back("This machine's clock is wrong, or was: its last " +
                              std::string{domain::name((*j)->job)} + " ended at " +
                              base::to_rfc3339((*j)->finished_at) +
                              ", which is still to come. Set the clock, for example with `timedatectl set-ntp true`");
            break;
        }
    if (s.config.fetched_at && now - *s.config.fetched_at > config_grows_old)
        s.notes.push_back("The config is " + age(*s.config.fetched_at, now) +
                          " old, because the control plane gave none since: what was changed there is not known here. "
                          "`xentz-agent doctor` says why");
    for (const auto& p : s.postponed)
        s.notes.push_back("The " + std::string{domain::name(p.job)} + " that was due at " + base::to_rfc3339(p.due_at) +
                          " waits, because " + p.why + "; it runs at " + base::to_rfc3339(p.deadline) +
                          " at the latest");
    note_age(s, s.retention, retention_grows_old, "retention", now);
    note_age(s, s.check, check_grows_old, "check of the repository", now);
    if (s.reports_rejected > 0)
        s.notes.push_back(base::counted(s.reports_rejected, "report") + (s.reports_rejected == 1 ? " was" : " were") +
                          " refused by the server for good; `xentz-agent doctor` says where to look");
}

void read_config(environment& env, const local_config& local, status& s)
{
    s.state = local.recovering ? "recovering" : local.enabled ? "active" : "disabled";
    s.config.origin = local.managed() ? "none" : "local";
    if (!local.managed()) return;
    const auto cached = load_cached_config(env.files, env.home);
    if (!cached) return;
    s.config.origin = "server";
    s.config.fetched_at = cached->fetched_at;
    if (cached->revoked) s.state = "revoked";
    if (const auto config = config_in(*cached)) {
        s.config.version = config->version;
        if (!config->enabled && !cached->revoked) s.state = "disabled";
    }
}

std::string figures(const job_state& j)
{
    const auto& m = j.metrics;
    std::string out;
    const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
    if (m.files_total) add(std::to_string(*m.files_total) + " files");
    if (m.bytes_total) add(base::to_size(*m.bytes_total));
    if (m.data_added_bytes) add(base::to_size(*m.data_added_bytes) + " new");
    if (m.snapshots_kept) add(base::counted(*m.snapshots_kept, "snapshot") + " kept");
    if (m.snapshots_removed) add(std::to_string(*m.snapshots_removed) + " removed");
    if (m.bytes_freed) add(base::to_size(*m.bytes_freed) + " freed");
    if (m.data_part)
        add("part " + std::to_string(*m.data_part) + " of " + std::to_string(m.data_parts.value_or(0)) +
            " of the data read" + (m.bytes_read ? ", " + base::to_size(*m.bytes_read) : ""));
    if (m.files_restored)
        add(j.job == domain::job::check ? base::counted(*m.files_restored, "file") + " restored"
                                        : std::to_string(*m.files_restored) + " files and folders restored");
    if (m.bytes_restored) add(base::to_size(*m.bytes_restored));
    if (m.files_compared) add(std::to_string(*m.files_compared) + " compared with their source");
    if (m.files_differing.value_or(0) > 0) add(std::to_string(*m.files_differing) + " differing");
    if (m.snapshot_id) add("snapshot " + m.snapshot_id->substr(0, 8));
    return out;
}

std::string word(const job_state& j)
{
    if (j.outcome == "interrupted") return "interrupted";
    switch (j.status) {
    case domain::run_status::success:
        return "good";
    case domain::run_status::partial:
        return "incomplete";
    case domain::run_status::failure:
        break;
    }
    return "failed";
}

constexpr std::string_view margin = "            ";

void describe_unreadable(std::string& out, const job_state& j)
{
    constexpr std::size_t most_shown = 20;
    const auto count = std::max<std::uint64_t>(j.metrics.files_unreadable.value_or(0), j.unreadable.size());
    out += std::string{margin} + std::to_string(count) +
           (count == 1 ? " file or folder could not be read:\n" : " files or folders could not be read:\n");
    for (std::size_t i = 0; i < j.unreadable.size() && i < most_shown; ++i)
        out += std::string{margin} + "  " + j.unreadable[i].path + ": " + j.unreadable[i].reason + "\n";
    if (count > most_shown)
        out += std::string{margin} + "  and " + std::to_string(count - most_shown) +
               " more; see `xentz-agent status --json`\n";
}

std::string describe_command(const domain::command_result& c)
{
    auto text = (c.when == "dump" ? "dump " : "command " + c.when + " it: ") + c.name + ", ";
    text += c.status == "success" ? "good" : "failed";
    if (c.bytes) text += ", " + base::to_size(*c.bytes);
    if (c.snapshot_id) text += ", snapshot " + c.snapshot_id->substr(0, 8);
    if (c.message) text += ": " + *c.message;
    return text;
}

void describe_job(std::string& out, std::string_view label, const std::optional<job_state>& j, base::time_point now)
{
    out += std::string{label};
    if (!j) {
        out += "never\n";
        return;
    }
    out += word(*j) + ", " + ago(j->finished_at, now) + ", took " +
           base::to_words(std::chrono::milliseconds{j->duration_ms});
    if (const auto text = figures(*j); !text.empty()) out += " (" + text + ")";
    out += "\n";
    if (!j->unreadable.empty())
        describe_unreadable(out, *j);
    else if (j->fault)
        out += std::string{margin} + j->fault->message + ".\n";
    if (j->fault && !j->fault->remedy.empty()) out += std::string{margin} + j->fault->remedy + ".\n";
    for (const auto& one : j->commands.value_or(std::vector<domain::command_result>{}))
        out += std::string{margin} + describe_command(one) + "\n";
    for (const auto& warning : j->warnings) out += std::string{margin} + "note: " + warning + "\n";
}

// Whatever came after it: the backup that a restore would use.
void describe_last_good(std::string& out, const std::optional<job_state>& backup, base::time_point now)
{
    out += "Last good   ";
    const bool known = backup && backup->last_good;
    out +=
        known ? base::to_rfc3339(backup->last_good->finished_at) + " (" + ago(backup->last_good->finished_at, now) + ")"
              : "none";
    if (known && backup->last_good->snapshot_id) out += ", snapshot " + backup->last_good->snapshot_id->substr(0, 8);
    if (known && backup->last_good->status == domain::run_status::partial) out += ", incomplete";
    out += "\n";
}

// When it was last proved that a restore would work.
void describe_proof(std::string& out, const std::optional<job_state>& check, base::time_point now)
{
    out += "Proved      ";
    if (check && check->last_good)
        out += base::to_rfc3339(check->last_good->finished_at) + " (" + ago(check->last_good->finished_at, now) +
               "), by a check without a flaw\n";
    else
        out += "never; `xentz-agent check` proves that the backups can be restored\n";
}

std::string reports_text(const status& s)
{
    if (s.reports_pending == 0 && s.reports_rejected == 0) return "all delivered";
    std::string out;
    if (s.reports_pending > 0) out = std::to_string(s.reports_pending) + " waiting to be sent";
    if (s.reports_rejected > 0)
        out += (out.empty() ? "" : ", ") + std::to_string(s.reports_rejected) + " refused by the server and set aside";
    return out;
}

// A file in spool/rejected is one report that the server never took.
std::uint64_t count_reports(os::files& fs, const std::filesystem::path& folder)
{
    std::uint64_t n = 0;
    static_cast<void>(fs.list(folder, [&](const os::directory_entry& e) {
        if (e.kind == os::file_kind::regular && e.name.ends_with(".json")) ++n;
        return true;
    }));
    return n;
}

void read_schedule(environment& env, const local_config& local, status& s)
{
    s.scheduler = local.scheduler;
    if (!local.scheduler) return;
    const auto timers = look_at_timers(env, *env.timers, local);
    if (!timers) {
        s.schedule_problem = timers.error().message;
        return;
    }
    if (timers->presence != schedule::presence::as_wanted) s.schedule_problem = timers->difference;
    if (!timers->caveat.empty()) s.schedule_caveat = timers->caveat;
    s.next_runs = timers->next_runs;
}

void judge_schedule(status& s)
{
    if (s.state != "active" || !s.schedule_problem) return;
    const auto text = "The next backup will not come by itself: " + *s.schedule_problem;
    if (s.remedy.empty()) s.remedy = "Run `xentz-agent install --scheduler auto`";
    s.notes.push_back(text + ". `xentz-agent install --scheduler auto` sets the timers again");
}

void describe_schedule(std::string& out, const status& s)
{
    out += "Next run    ";
    if (!s.scheduler)
        out += "nothing is scheduled; call `xentz-agent run-due` every hour from a scheduler of your own\n";
    else if (s.schedule_problem)
        out += "unsure, by " + *s.scheduler + ": " + *s.schedule_problem + "\n";
    else if (s.next_runs.empty())
        out += "by " + *s.scheduler + "\n";
    else
        out += base::to_rfc3339(s.next_runs.front()) + ", by " + *s.scheduler + "\n";
    if (s.scheduler && s.schedule_caveat) out += "            note: " + *s.schedule_caveat + "\n";
}

} // namespace

status read_status(environment& env)
{
    status s;
    const auto now = env.clock.now();
    const auto local = load_local_config(env.files, env.home.config, *env.secrets);
    s.enrolled = local.has_value();
    s.state = "not-enrolled";
    s.config.origin = "none";
    if (local) {
        s.server_url = local->server_url;
        s.device_id = local->device_id;
        read_config(env, *local, s);
    }
    s.running = load_marker(env.files, env.home).has_value();
    s.backup = load_state(env.files, env.home, domain::job::backup);
    s.retention = load_state(env.files, env.home, domain::job::retention);
    s.check = load_state(env.files, env.home, domain::job::check);
    s.restore = load_state(env.files, env.home, domain::job::restore);
    s.postponed = load_postponements(env);
    std::erase_if(s.postponed, [&](const postponement& p) { return p.deadline <= now; });
    s.reports_pending = count_reports(env.files, env.home.spool());
    s.reports_rejected = count_reports(env.files, env.home.rejected());
    if (local && env.timers != nullptr) read_schedule(env, *local, s);
    judge(s, now);
    note(s, now);
    judge_schedule(s);
    if (!local && local.error().code != base::fault_code::config_missing) {
        s.verdict = local.error().message;
        s.remedy = local.error().remedy;
    }
    return s;
}

std::string describe(const status& s, base::time_point now)
{
    auto out = s.verdict + ".\n";
    if (!s.remedy.empty()) out += s.remedy + ".\n";
    for (const auto& one : s.notes) out += one + ".\n";
    if (!s.enrolled) return out;
    out += "\n";
    describe_job(out, "Backup      ", s.backup, now);
    describe_last_good(out, s.backup, now);
    describe_job(out, "Retention   ", s.retention, now);
    if (s.check) describe_job(out, "Check       ", s.check, now);
    describe_proof(out, s.check, now);
    if (s.restore) describe_job(out, "Restore     ", s.restore, now);
    if (s.server_url) {
        out += "Server      " + *s.server_url + ", this machine is " + s.device_id.value_or("unknown") + "\n";
        out += "Config      ";
        out += s.config.fetched_at ? "fetched " + ago(*s.config.fetched_at, now) : "never fetched";
        if (s.config.version) out += ", version " + *s.config.version;
        out += "\n";
        out += "Reports     " + reports_text(s) + "\n";
    }
    describe_schedule(out, s);
    if (s.running) out += "A run is under way, or was killed.\n";
    return out;
}

} // namespace xentz::agent
