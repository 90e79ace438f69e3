#include "agent/check.hpp"

#include "agent/drill.hpp"
#include "agent/plan.hpp"
#include "agent/repository_access.hpp"
#include "agent/rest_repository.hpp"
#include "base/hex.hpp"
#include "base/size_text.hpp"

namespace xentz::agent {
namespace {

using base::fault_code;
using base::result;

constexpr std::uint64_t most_rotation_bytes = std::uint64_t{1} << 16U;
constexpr std::size_t most_listed_in_fault = 10;

struct rotation {
    std::uint32_t format = 1;
    std::uint32_t parts = 0;
    std::uint32_t next = 1;
};
BOOST_DESCRIBE_STRUCT(rotation, (), (format, parts, next))

// restic counts a pack to the part that the first byte of its name falls into (cmd/restic/cmd_check.go).
bool belongs_to(const std::string& pack, const engine::data_part& part)
{
    const auto first = base::from_hex(pack.substr(0, 2));
    return first && first->size() == 1 && (*first)[0] % part.of == part.number - 1;
}

std::optional<std::uint64_t> bytes_of_part(run_context& c, const engine::data_part& part)
{
    const auto& address = c.effective.config.restic.repository;
    if (!rest_repository::is_rest(address)) return std::nullopt;
    auto repository = rest_repository::at(address, c.client);
    if (!repository) return std::nullopt;
    const auto packs = repository->packs(c.stop);
    if (!packs) return std::nullopt;
    std::uint64_t bytes = 0;
    for (const auto& pack : *packs)
        if (belongs_to(pack.name, part)) bytes += pack.bytes;
    return bytes;
}

// A flaw is a result, and keeps the figures of what was looked at.
job_outcome flawed(job_outcome out, base::fault why)
{
    out.status = domain::run_status::failure;
    out.shortfall = std::move(why);
    return out;
}

base::fault difference(const drill_outcome& drill)
{
    std::string list;
    for (std::size_t i = 0; i < drill.differing.size() && i < most_listed_in_fault; ++i)
        list += (i == 0 ? "" : "; ") + drill.differing[i];
    if (drill.differing.size() > most_listed_in_fault) list += "; ...";
    return {
        fault_code::restore_differs,
        "the restore drill found " + base::counted(drill.differing.size(), "file") +
            (drill.differing.size() == 1 ? " that differs: " : " that differ: ") + list,
        "Restore these files by hand and compare them; then check the repository with all its data, and the disks on "
        "both sides, before you rely on these backups"};
}

// The end of a check: what can be proved by a restore only.
result<job_outcome> restore_sample(run_context& c, engine::session& session, const domain::check_options& options,
                                   job_outcome out)
{
    const auto newest = session.latest(scope_of(c.local), c.stop);
    if (!newest) return std::unexpected(newest.error());
    if (!*newest) {
        out.warnings.emplace_back("nothing was restored: this machine has no snapshot of files yet");
        return out;
    }
    if (options.drill_files == 0) return out;
    auto drill = run_drill(c.env, session, (*newest)->id, options, c.stop);
    if (!drill) return base::failed(drill);
    out.metrics.snapshot_id = (*newest)->id;
    out.metrics.files_restored = drill->files;
    out.metrics.bytes_restored = drill->bytes;
    out.metrics.files_compared = drill->compared;
    out.metrics.files_differing = drill->differing.size();
    if (drill->left_over) out.warnings.push_back("what was restored could not be removed: " + *drill->left_over);
    if (!drill->differing.empty()) return flawed(std::move(out), difference(*drill));
    if (drill->files == 0)
        out.warnings.emplace_back("nothing was restored: no file of the snapshot is small enough (check.drill_mib)");
    return out;
}

result<job_outcome> check(run_context& c)
{
    const auto options = c.effective.config.check.value_or(domain::check_options{});
    auto session = open_repository(c);
    if (!session) return base::failed(session);
    if (auto ok = require_pinned_repository(c, **session); !ok) return base::failed(ok);
    const auto part = next_part(c.env.files, c.env.home, options.parts);
    job_outcome out;
    out.metrics.data_part = part.number;
    out.metrics.data_parts = part.of;
    const auto checked = past_dead_locks(c, **session, out.warnings, [&] { return (*session)->check(part, c.stop); });
    if (!checked && checked.error().code == fault_code::repository_damaged)
        return flawed(std::move(out), checked.error());
    if (!checked) return std::unexpected(checked.error());
    out.metrics.bytes_read = bytes_of_part(c, part);
    auto done = restore_sample(c, **session, options, out);
    if (!done && done.error().code == fault_code::repository_damaged) done = flawed(std::move(out), done.error());
    if (!done) return done;
    done->unsupported = (*session)->unsupported();
    if (done->status == domain::run_status::success)
        if (const auto kept = advance(c.env.files, c.env.home, part); !kept)
            done->warnings.push_back("the same part will be read again: " + kept.error().message);
    return done;
}

} // namespace

job_work check_work()
{
    return [](run_context& c) { return check(c); };
}

engine::data_part next_part(os::files& fs, const home& h, std::uint32_t parts)
{
    const auto text = os::read_all(fs, h.rotation(), most_rotation_bytes);
    const auto kept = text ? wire::decode<rotation>(*text) : result<rotation>{rotation{}};
    const bool usable = kept && kept->parts == parts && kept->next >= 1 && kept->next <= parts;
    return {.number = usable ? kept->next : 1, .of = parts};
}

result<> advance(os::files& fs, const home& h, const engine::data_part& done)
{
    const rotation next{.parts = done.of, .next = done.number % done.of + 1};
    return os::write_atomic(fs, h.rotation(), wire::pretty_json(wire::to_json(next)));
}

} // namespace xentz::agent
