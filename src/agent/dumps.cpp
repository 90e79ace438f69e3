#include "agent/dumps.hpp"

#include "agent/command_run.hpp"
#include "agent/local_commands.hpp"
#include "agent/repository_access.hpp"
#include "agent/rest_repository.hpp"
#include "os/guarded_pipe.hpp"

#include <thread>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

// What came of the command and of the engine that read it.
struct streamed {
    result<command_end> command = fail(fault_code::internal, "");
    result<> finished; // whether the engine was told that this was all
    result<engine::backup_outcome> backup = fail(fault_code::internal, "");
};

streamed stream(run_context& c, engine::session& session, const domain::command& command, os::guarded_pipe& pipe)
{
    streamed s;
    std::stop_source end_command;
    std::stop_source end_engine;
    const std::stop_callback pass_on{c.stop, [&] {
                                         end_command.request_stop();
                                         end_engine.request_stop();
                                     }};
    std::jthread watcher{[&] {
        const command_settings settings{.variables = {{"XENTZ_JOB", "backup"}, {"XENTZ_WHEN", "dump"}},
                                        .output = pipe.writer()};
        s.command = run_command(c.env, command, settings, end_command.get_token());
        if (s.command && s.command->good()) s.finished = pipe.finish();
        if (!s.command || !s.command->good() || !s.finished) end_engine.request_stop();
    }};
    s.backup = session.backup({.scope = {.host = c.local.host, .tag = dump_tag},
                               .include = {},
                               .exclude = {},
                               .stream = engine::stream_source{.descriptor = pipe.reader(),
                                                               .group = pipe.group(),
                                                               .file_name = command.file_name.value_or(command.name)},
                               .tags = {tag_of_dump(command.name)}},
                              {}, end_engine.get_token());
    end_command.request_stop();
    watcher.join();
    return s;
}

// Why there is no good dump; nothing where there is one.
std::optional<base::fault> trouble_of(const streamed& s)
{
    const auto remedy = "Run the command by hand as the agent's user and see what it says";
    if (!s.command) return base::fault{fault_code::dump_failed, s.command.error().message, s.command.error().remedy};
    const bool stopped_with_the_engine = s.command->stopped && !s.backup;
    if (!s.command->good() && !stopped_with_the_engine) {
        auto why = s.command->trouble;
        if (!s.command->output.empty()) why += ": " + s.command->output.back();
        return base::fault{fault_code::dump_failed, why, remedy};
    }
    if (!s.finished) return base::fault{fault_code::dump_failed, s.finished.error().message, s.finished.error().remedy};
    const bool empty = s.backup ? s.backup->metrics.bytes_total == std::uint64_t{0}
                                : s.backup.error().code == fault_code::source_missing;
    if (empty) return base::fault{fault_code::dump_failed, "it printed nothing", remedy};
    if (!s.backup) return s.backup.error();
    return std::nullopt;
}

result<> make_dump(run_context& c, engine::session& session, const std::string& name, domain::command_result& told)
{
    const auto command = find_command(c.env, c.local, c.effective, name);
    if (!command) return fail(fault_code::dump_failed, command.error().message, command.error().remedy);
    const auto pipe = os::make_guarded_pipe();
    if (!pipe) return std::unexpected(pipe.error());
    auto s = stream(c, session, *command, **pipe);
    if (s.command) {
        told.duration_ms = s.command->duration.count();
        if (!s.command->output.empty()) told.output = s.command->output;
    }
    if (c.stop.stop_requested()) return fail(fault_code::interrupted, "interrupted while it made the dump " + name);
    if (s.backup) {
        told.snapshot_id = s.backup->metrics.snapshot_id;
        told.bytes = s.backup->metrics.bytes_total;
    }
    if (auto trouble = trouble_of(s)) {
        // An engine that was ended in the middle leaves its lock; that is ours, and known to be dead.
        std::vector<std::string> of_no_interest;
        if (!s.backup) cleared_dead_locks(c, session, of_no_interest);
        return std::unexpected(std::move(*trouble));
    }
    auto confirmed = confirmed_snapshot(c, told.snapshot_id.value_or(""));
    if (!confirmed) return base::failed(confirmed);
    told.snapshot_id = *confirmed;
    return {};
}

// Faults of the repository: what holds for one dump holds for all, and for the files.
bool concerns_all(const base::fault& f)
{
    return f.code != fault_code::dump_failed && f.code != fault_code::snapshot_unconfirmed &&
           f.code != fault_code::file_failed;
}

} // namespace

std::string tag_of_dump(const std::string& name) { return std::string{dump_tag} + "=" + name; }

result<> make_dumps(run_context& c, engine::session& session, job_outcome& out)
{
    for (const auto& name : c.effective.config.dumps.value_or(std::vector<std::string>{})) {
        c.env.log.info("dumping " + name);
        auto& told = out.commands.emplace_back();
        told.name = name;
        told.when = "dump";
        const auto made = make_dump(c, session, name, told);
        told.status = made ? "success" : "failure";
        if (made) continue;
        told.message = base::sentence(made.error());
        if (concerns_all(made.error())) return made;
        fall_short(out, {fault_code::dump_failed, "the dump " + name + " failed: " + made.error().message,
                         made.error().remedy});
    }
    return {};
}

} // namespace xentz::agent
