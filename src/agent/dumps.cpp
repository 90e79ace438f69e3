#include "agent/dumps.hpp"

#include "agent/command_run.hpp"
#include "agent/local_commands.hpp"
#include "agent/plan.hpp"
#include "agent/repository_access.hpp"
#include "os/guarded_pipe.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <thread>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::chrono::milliseconds between_looks{50};

// What came of the command and of the engine that read it.
struct streamed {
    result<command_end> command = fail(fault_code::internal, "");
    result<> finished;                                    // whether the command's output came to its end
    std::optional<result<engine::backup_outcome>> backup; // absent: there was nothing to be read
};

// One dump: the command writes, and the engine is started once there is something to read. Where the command does not
// end well, the engine is ended while the pipe is still open: before the runner ends what the command has left behind,
// which would close it.
class dump_stream {
public:
    dump_stream(run_context& c, const domain::command& command, os::guarded_pipe& pipe)
        : c_(c), command_(command), pipe_(pipe), pass_on_{c.stop, [this] { stop_both(); }}
    {
    }

    streamed run(engine::session& session)
    {
        const auto done = engine_done_.get_future().share();
        {
            const std::jthread watcher{[&] { watch(done); }};
            const at_the_end_of_the_engine let_go{*this}; // before the watcher is waited for, whatever happens
            if (has_data()) s_.backup = session.backup(request(), {}, end_engine_.get_token());
        }
        return std::move(s_);
    }

private:
    class at_the_end_of_the_engine {
    public:
        explicit at_the_end_of_the_engine(dump_stream& stream) : stream_(stream) {}
        at_the_end_of_the_engine(const at_the_end_of_the_engine&) = delete;
        at_the_end_of_the_engine& operator=(const at_the_end_of_the_engine&) = delete;
        ~at_the_end_of_the_engine()
        {
            stream_.engine_done_.set_value();
            stream_.end_command_.request_stop();
        }

    private:
        dump_stream& stream_;
    };

    void stop_both()
    {
        end_command_.request_stop();
        end_engine_.request_stop();
    }

    void watch(const std::shared_future<void>& engine_done)
    {
        command_settings settings{.variables = {{"XENTZ_JOB", "backup"}, {"XENTZ_WHEN", "dump"}},
                                  .output = pipe_.writer()};
        bool exited = false;
        settings.on_exit = [&](int code) {
            exited = true;
            if (code == 0) s_.finished = pipe_.finish();
            if (code == 0 && s_.finished) return;
            end_engine_.request_stop();
            engine_done.wait();
        };
        s_.command = run_command(c_.env, command_, settings, end_command_.get_token());
        if (!exited) end_engine_.request_stop();
        command_over_ = true;
    }

    // False where the command is over, or everything is to stop, without a byte.
    bool has_data()
    {
        while (!end_engine_.stop_requested()) {
            const bool over = command_over_; // asked first: what it wrote is there before it is over
            if (pipe_.wait_for_data(over ? std::chrono::milliseconds{0} : between_looks)) return true;
            if (over) return false;
        }
        return false;
    }

    engine::backup_request request() const
    {
        return {.scope = scope_of_dumps(c_.local),
                .include = {},
                .exclude = {},
                .stream = engine::stream_source{.descriptor = pipe_.reader(),
                                                .group = pipe_.group(),
                                                .file_name = command_.file_name.value_or(command_.name)},
                .tags = {domain::tag_of_dump(command_.name)}};
    }

    run_context& c_;
    const domain::command& command_;
    os::guarded_pipe& pipe_;
    streamed s_;
    std::stop_source end_command_;
    std::stop_source end_engine_;
    std::promise<void> engine_done_;
    std::atomic<bool> command_over_ = false;
    std::stop_callback<std::function<void()>> pass_on_; // last: it may be called at once
};

// Why there is no good dump; nothing where there is one.
std::optional<base::fault> trouble_of(const streamed& s)
{
    const auto remedy = "Run the command by hand as the agent's user and see what it says";
    if (!s.command) return base::fault{fault_code::dump_failed, s.command.error().message, s.command.error().remedy};
    // Where the engine ended first, the command was stopped for that.
    const bool engine_failed = s.backup && !*s.backup;
    if (!s.command->good() && !(s.command->stopped && engine_failed)) {
        auto why = s.command->trouble;
        if (!s.command->output.empty()) why += ": " + s.command->output.back();
        return base::fault{fault_code::dump_failed, why, remedy};
    }
    if (!s.finished) return base::fault{fault_code::dump_failed, s.finished.error().message, s.finished.error().remedy};
    if (!s.backup) return base::fault{fault_code::dump_failed, "it printed nothing", remedy};
    if (engine_failed) return s.backup->error();
    if ((*s.backup)->status != domain::run_status::success)
        return base::fault{fault_code::dump_failed, "restic says that its snapshot is incomplete", "Run it again"};
    return std::nullopt;
}

result<> make_dump(run_context& c, engine::session& session, const std::string& name, domain::command_result& told)
{
    const auto command = find_command(c.env, c.local, c.effective, name);
    if (!command) return fail(fault_code::dump_failed, command.error().message, command.error().remedy);
    const auto pipe = os::make_guarded_pipe();
    if (!pipe) return std::unexpected(pipe.error());
    auto s = dump_stream{c, *command, **pipe}.run(session);
    if (s.command) {
        told.duration_ms = s.command->duration.count();
        if (!s.command->output.empty()) told.output = s.command->output;
    }
    if (c.stop.stop_requested()) return fail(fault_code::interrupted, "interrupted while it made the dump " + name);
    if (auto trouble = trouble_of(s)) {
        // An engine that was ended in the middle leaves its lock; that is ours, and known to be dead.
        std::vector<std::string> of_no_interest;
        if (s.backup && !*s.backup && trouble->code == fault_code::dump_failed)
            cleared_dead_locks(c, session, of_no_interest);
        return std::unexpected(std::move(*trouble));
    }
    const auto& made = (*s.backup)->metrics;
    told.snapshot_id = made.snapshot_id;
    told.bytes = made.bytes_total;
    auto confirmed = confirmed_snapshot(c, made.snapshot_id.value_or(""));
    if (!confirmed) return base::failed(confirmed);
    told.snapshot_id = *confirmed;
    return {};
}

// A killed restic leaves its lock behind; the dump is made once more where that was in its way.
result<> make_dump_past_dead_locks(run_context& c, engine::session& session, const std::string& name,
                                   domain::command_result& told, job_outcome& out)
{
    auto made = make_dump(c, session, name, told);
    if (made || made.error().code != fault_code::repository_locked) return made;
    return cleared_dead_locks(c, session, out.warnings) ? make_dump(c, session, name, told) : made;
}

// Faults of the repository: what holds for one dump holds for all, and for the files.
bool concerns_all(const base::fault& f)
{
    return f.code != fault_code::dump_failed && f.code != fault_code::snapshot_unconfirmed &&
           f.code != fault_code::file_failed;
}

} // namespace

result<> make_dumps(run_context& c, engine::session& session, job_outcome& out)
{
    for (const auto& name : c.effective.config.dumps.value_or(std::vector<std::string>{})) {
        c.env.log.info("dumping " + name);
        auto& told = c.commands.emplace_back();
        told.name = name;
        told.when = "dump";
        const auto made = make_dump_past_dead_locks(c, session, name, told, out);
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
