#include "restic/restic_session.hpp"

#include "restic/backup_output.hpp"
#include "restic/error_lines.hpp"
#include "restic/listing.hpp"
#include "restic/restore_output.hpp"
#include "restic/retry_watch.hpp"
#include "restic/sparse.hpp"
#include "restic/text.hpp"

#include <algorithm>
#include <fstream>

namespace xentz::restic {
namespace {

using base::fault_code;

// A list of snapshots is one line, with every path of every snapshot in it.
constexpr auto longest_list = std::size_t{256} << 20U;
constexpr auto longest_document = std::size_t{1} << 20U;

base::result<> check_scope(const engine::scope& s)
{
    // restic takes an empty host or tag for "any", which would forget the snapshots of others.
    if (!s.host.empty() && !s.tag.empty()) return {};
    return base::fail(fault_code::invalid_value, "a host name and a tag are needed to tell one's own snapshots",
                      "Set the machine's host name");
}

os::priority to_priority(const std::optional<std::string>& name)
{
    if (name == "low") return os::priority::low;
    return name == "idle" ? os::priority::idle : os::priority::normal;
}

// restic 0.14 does not say which file it could not read.
base::result<> check_exclude_files(const domain::restic_options& o)
{
    for (const auto& file : o.exclude_files.value_or(std::vector<std::string>{})) {
        if (std::ifstream{file}) continue;
        return base::fail(fault_code::config_invalid, "the file of exclude patterns " + file + " cannot be read",
                          "Put the file there, or take it out of restic.exclude_files");
    }
    return {};
}

bool not_removed(const std::deque<std::string>& errors)
{
    // 0.18 ends with exit code 0 all the same.
    return std::ranges::any_of(errors, [](const auto& line) { return line.starts_with("unable to remove "); });
}

} // namespace

restic_session::restic_session(std::shared_ptr<restic_program> program, engine::repository repository)
    : program_(std::move(program)), repository_(std::move(repository)), own_secrets_(std::make_shared<base::redactor>())
{
    // restic masks the password of an address, except of one that it cannot parse.
    own_secrets_->add(password_of(repository_.address));
}

base::result<> restic_session::init(std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    auto e = run(operation::init, init_arguments(*i), limits(), unread, nothing_known, stop);
    if (!e) return base::failed(e);
    if (!e->with(0)) return failure(*e);
    return {};
}

base::result<engine::backup_outcome>
restic_session::backup(const engine::backup_request& r, const engine::progress_sink& on_progress, std::stop_token stop)
{
    if (auto scoped = check_scope(r.scope); !scoped) return base::failed(scoped);
    if (r.include.empty() && !r.stream)
        return base::fail(fault_code::source_missing, "there is nothing to back up: no folder is included",
                          "Include at least one folder");
    if (auto readable = check_exclude_files(repository_.options); !readable) return base::failed(readable);
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    backup_output output{on_progress, [this](std::string_view text) { return clean(text); }};
    auto e = run(
        operation::backup, backup_arguments(*i, r), limits_for(r),
        [&](std::string_view line) { output.read_out(line); },
        [&](std::string_view line) { return output.read_err(line); }, stop, r.stream);
    if (!e) return base::failed(e);
    const bool incomplete = e->with(3);
    if ((!e->with(0) && !incomplete) || !output.saved()) return failure(*e);
    auto outcome = output.outcome();
    if (incomplete) outcome.status = domain::run_status::partial;
    return outcome;
}

base::result<std::vector<engine::snapshot>> restic_session::snapshots(const std::optional<engine::scope>& s,
                                                                      std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    return read_snapshots(snapshots_arguments(*i, s), stop);
}

base::result<std::optional<engine::snapshot>> restic_session::latest(const std::optional<engine::scope>& s,
                                                                     std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    auto list = read_snapshots(latest_arguments(*i, s), stop);
    if (!list) return base::failed(list);
    if (list->empty()) return std::optional<engine::snapshot>{};
    // One for every group of host and paths; the list is sorted.
    return std::move(list->back());
}

base::result<std::vector<engine::snapshot>> restic_session::read_snapshots(const arguments& args, std::stop_token stop)
{
    std::optional<std::vector<engine::snapshot>> list;
    auto e = run(
        operation::snapshots, args, limits_for_lists(),
        [&](std::string_view line) {
            if (auto found = parse_snapshots(line)) list = std::move(found);
        },
        nothing_known, stop);
    if (!e) return base::failed(e);
    if (!e->with(0) || !list) return failure(*e);
    return std::move(*list);
}

base::result<> restic_session::list(const std::string& snapshot_id, const std::string& path,
                                    const std::function<void(const engine::node&)>& each, std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    bool found = false;
    auto e = run(
        operation::list, list_arguments(*i, snapshot_id, path), limits(),
        [&](std::string_view line) {
            if (const auto node = parse_node(line)) {
                each(*node);
            } else {
                found = found || is_snapshot_line(line);
            }
        },
        nothing_known, stop);
    if (!e) return base::failed(e);
    // 0.14 ignores an unknown snapshot and ends with exit code 0.
    if (!e->with(0) || !found) return failure(*e);
    return {};
}

base::result<engine::retention_outcome> restic_session::apply(const domain::retention& r, const engine::scope& s,
                                                              bool dry_run, std::stop_token stop)
{
    if (domain::keeps_nothing(r))
        return base::fail(fault_code::retention_empty, "the retention would keep no snapshot at all",
                          "Set at least one of the keep rules");
    if (auto scoped = check_scope(s); !scoped) return base::failed(scoped);
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    auto outcome = forget(forget_arguments(*i, r, s, dry_run), stop);
    if (!outcome || !r.prune || dry_run) return outcome;
    auto freed = prune(prune_arguments(*i), stop);
    if (!freed) return base::failed(freed);
    outcome->bytes_freed = *freed;
    return outcome;
}

base::result<engine::retention_outcome> restic_session::forget(const arguments& args, std::stop_token stop)
{
    // Without any snapshot in the scope restic prints nothing.
    engine::retention_outcome outcome;
    auto e = run(
        operation::forget, args, limits_for_lists(),
        [&](std::string_view line) {
            if (auto found = parse_forget(line)) outcome = std::move(*found);
        },
        nothing_known, stop);
    if (!e) return base::failed(e);
    if (!e->with(0) || not_removed(e->errors)) return failure(*e);
    return outcome;
}

base::result<std::optional<std::uint64_t>> restic_session::prune(const arguments& args, std::stop_token stop)
{
    std::optional<std::uint64_t> freed;
    auto e = run(
        operation::prune, args, limits(),
        [&](std::string_view line) {
            if (const auto total = parse_prune_total(line)) freed = total;
        },
        nothing_known, stop);
    if (!e) return base::failed(e);
    if (!e->with(0) || not_removed(e->errors)) return failure(*e);
    return freed;
}

base::result<engine::restore_outcome> restic_session::restore(const engine::restore_request& r,
                                                              const engine::progress_sink& on_progress,
                                                              std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    restore_output output{on_progress};
    auto e = run(
        operation::restore, restore_arguments(*i, r), limits(), [&](std::string_view line) { output.read_out(line); },
        nothing_known, stop);
    if (!e) return base::failed(e);
    if (!e->with(0)) return failure(*e);
    punch_holes(r.target, e->began);
    if (output.summary()) return *output.summary();
    const auto total = count_changed(r.target, e->began);
    return engine::restore_outcome{.files = total.entries, .bytes = total.bytes};
}

base::result<> restic_session::check(const engine::data_part& part, std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    auto e = run(operation::check, check_arguments(*i, part), limits(), unread, nothing_known, stop);
    if (!e) return base::failed(e);
    if (!e->with(0)) return failure(*e);
    return {};
}

base::result<> restic_session::unlock(std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    auto e = run(operation::unlock, unlock_arguments(*i), limits(), unread, nothing_known, stop);
    if (!e) return base::failed(e);
    if (!e->with(0)) return failure(*e);
    return {};
}

// Everything that restic prints on stdout, for the few commands that print one small document.
base::result<std::string> restic_session::read_text(operation op, const arguments& args, std::stop_token stop)
{
    std::string text;
    auto e = run(
        op, args, limits(),
        [&](std::string_view line) {
            if (text.size() + line.size() < longest_document) text += std::string{line} + "\n";
        },
        nothing_known, std::move(stop));
    if (!e) return base::failed(e);
    if (!e->with(0)) return failure(*e);
    return text;
}

base::result<std::string> restic_session::repository_id(std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    auto text = read_text(operation::identify, repository_config_arguments(*i), stop);
    if (!text) return text;
    auto id = parse_repository_id(*text);
    if (!id)
        return base::fail(fault_code::restic_failed, "restic did not say which repository this is",
                          "Run it again; if it fails again, install a newer restic");
    return std::move(*id);
}

base::result<std::vector<engine::lock>> restic_session::locks(std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    auto ids = read_text(operation::locks, lock_list_arguments(*i), stop);
    if (!ids) return base::failed(ids);
    std::vector<engine::lock> found;
    for (const auto& id : parse_ids(*ids)) {
        auto text = read_text(operation::locks, lock_arguments(*i, id), stop);
        if (!text && text.error().code == fault_code::interrupted) return base::failed(text);
        // Its holder may have ended since the list was made.
        if (!text) continue;
        if (auto one = parse_lock(*text)) {
            one->id = id;
            found.push_back(std::move(*one));
        }
    }
    return found;
}

std::vector<std::string> restic_session::unsupported() const
{
    if (!version_) return {};
    return unsupported_options({.version = *version_, .options = repository_.options, .ca_file = {}});
}

base::result<invocation> restic_session::prepare(std::stop_token stop)
{
    auto v = program_->version(std::move(stop));
    if (!v) return base::failed(v);
    version_ = *v;
    return invocation{.version = *v, .options = repository_.options, .ca_file = repository_.ca_file};
}

base::result<restic_session::ended> restic_session::run(operation op, arguments args, const os::process_limits& limits,
                                                        const os::line_sink& out, const line_filter& err,
                                                        std::stop_token stop,
                                                        const std::optional<engine::stream_source>& stream)
{
    auto address = repository_file::make(program_->setup().runtime_directory, repository_.address);
    if (!address) return base::failed(address);
    ended e{.op = op, .how = {}, .errors = {}, .began = address->made_at(), .given_up = {}};
    error_lines errors{[this](std::string_view text) { return clean(text); }};
    const auto& setup = program_->setup();
    retry_watch watch{op, setup.longest_opening};
    const auto start = setup.clock->elapsed();
    std::stop_source interrupt;
    const std::stop_callback pass_on{stop, [&] { interrupt.request_stop(); }};
    auto end = program_->run(
        command(std::move(args), *address, stream), limits, interrupt.get_token(),
        [&](std::string_view line) {
            watch.read_out(line);
            out(line);
        },
        [&](std::string_view line) {
            if (err(line)) return;
            errors.add(line);
            if (e.given_up) return;
            e.given_up = watch.read_err(line, setup.clock->elapsed() - start);
            if (e.given_up) interrupt.request_stop();
        });
    if (!end) return base::failed(end);
    e.how = *end;
    e.errors = errors.all();
    return e;
}

os::command restic_session::command(arguments args, const repository_file& address,
                                    const std::optional<engine::stream_source>& stream) const
{
    const auto& setup = program_->setup();
    os::command c{.args = std::move(args),
                  .environment = environment(setup.base_environment, {.repository = address.path(),
                                                                      .password = repository_.password_file,
                                                                      .cache = setup.cache_directory}),
                  .inherited = repository_.inherited,
                  .cpu = to_priority(repository_.options.cpu_priority),
                  .disk = to_priority(repository_.options.io_priority)};
    if (stream) {
        c.input = stream->descriptor;
        c.group = stream->group;
    }
    return c;
}

std::unexpected<base::fault> restic_session::failure(const ended& e) const
{
    if (e.given_up) return std::unexpected(in_vain(e.op, {e.given_up->code, clean(e.given_up->line)}));
    return std::unexpected(judge(e.op, version_, e.how, e.errors));
}

std::string restic_session::clean(std::string_view text) const { return own_secrets_->clean(program_->clean(text)); }

os::process_limits restic_session::limits() const
{
    auto l = program_->setup().limits;
    if (const auto minutes = repository_.options.longest_run_minutes)
        l.longest = std::min<std::chrono::milliseconds>(l.longest, std::chrono::minutes{*minutes});
    l.on_start = repository_.on_process;
    return l;
}

// A restic that waits for a silent input answers no interrupt (0.18, 0.19): it has to be killed.
os::process_limits restic_session::limits_for(const engine::backup_request& r) const
{
    constexpr std::chrono::seconds grace_of_a_stream{5};
    auto l = limits();
    if (r.stream) l.grace = std::min<std::chrono::milliseconds>(l.grace, grace_of_a_stream);
    return l;
}

os::process_limits restic_session::limits_for_lists() const
{
    auto l = limits();
    l.longest_line = std::max(l.longest_line, longest_list);
    return l;
}

} // namespace xentz::restic
