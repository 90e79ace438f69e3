#include "agent/restore.hpp"

#include "agent/plan.hpp"
#include "agent/preflight.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

// The end of a local day given as YYYY-MM-DD.
std::optional<base::time_point> end_of_day(const std::string& text)
{
    if (text.size() != 10 || !base::parse_rfc3339(text + "T00:00:00Z")) return std::nullopt;
    std::tm day{};
    std::from_chars(text.data(), text.data() + 4, day.tm_year);
    std::from_chars(text.data() + 5, text.data() + 7, day.tm_mon);
    std::from_chars(text.data() + 8, text.data() + 10, day.tm_mday);
    day.tm_year -= 1900;
    day.tm_mon -= 1;
    day.tm_mday += 1;
    day.tm_isdst = -1;
    return base::time_point{std::chrono::seconds{std::mktime(&day)}} - std::chrono::microseconds{1};
}

std::unexpected<base::fault> no_snapshot(const std::string& why)
{
    return fail(fault_code::snapshot_missing, why, "See `xentz-agent snapshots`");
}

result<engine::snapshot> newest_until(const std::vector<engine::snapshot>& all, base::time_point until,
                                      const std::string& wanted)
{
    const engine::snapshot* found = nullptr;
    base::time_point newest{};
    for (const auto& s : all) {
        const auto t = base::parse_rfc3339(s.time);
        if (t && *t <= until && (found == nullptr || *t >= newest)) {
            found = &s;
            newest = *t;
        }
    }
    if (found == nullptr) return no_snapshot("no snapshot of this machine is as old as " + wanted);
    return *found;
}

result<> check_target(os::files& fs, const restore_options& o)
{
    if (o.overwrite) return {};
    bool empty = true;
    const auto listed = fs.list(o.target, [&](const os::directory_entry&) {
        empty = false;
        return false;
    });
    if (!listed && listed.error().code == fault_code::not_found) return {};
    if (!listed) return listed;
    if (empty) return {};
    return fail(fault_code::target_not_empty, "the folder " + o.target.string() + " is not empty",
                "Name an empty or new folder, or add --overwrite to replace the files in it by those of the snapshot");
}

// What the commands that only look need: the config as a run would use it, and an open repository.
struct reading {
    local_config local;
    effective_config effective;
    std::unique_ptr<engine::session> session;
};

result<reading> open_for_reading(environment& env, std::stop_token stop)
{
    auto local = load_local_config(env.files, env.home.config, *env.secrets);
    if (!local) return base::failed(local);
    if (local->host.empty()) local->host = env.host_name;
    if (auto ok = prepare(env.files, env.home); !ok) return base::failed(ok);
    const auto client = env.make_client(client_options_of(*local, env.agent_version));
    std::optional<control_plane> server;
    if (local->managed()) server.emplace(*client, *local->server_url);
    const auto effective = load_config(env, *local, server ? &*server : nullptr, stop);
    if (!effective) return std::unexpected(effective.error());
    auto session = open_repository(env, *local, *effective);
    if (!session) return base::failed(session);
    if (auto ok = require_repository(env.files, effective->config.restic.repository, *client, **session, stop); !ok)
        return base::failed(ok);
    return reading{std::move(*local), *effective, std::move(*session)};
}

bool is_id(const std::string& wanted)
{
    return wanted.size() >= 4 && wanted.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Files and dumps alike, oldest first.
result<std::vector<engine::snapshot>> all_snapshots(engine::session& session, const local_config& local,
                                                    std::stop_token stop)
{
    auto all = session.snapshots(scope_of(local), stop);
    if (!all) return all;
    const auto dumps = session.snapshots(scope_of_dumps(local), stop);
    if (!dumps) return dumps;
    all->insert(all->end(), dumps->begin(), dumps->end());
    std::ranges::sort(*all, {}, [](const engine::snapshot& s) {
        return std::pair{base::parse_rfc3339(s.time).value_or(base::time_point{}), s.id};
    });
    return all;
}

// Among which a restore chooses: an id may be that of a dump, "latest" and a day mean files unless a dump is named.
result<std::vector<engine::snapshot>> candidates(engine::session& session, const local_config& local,
                                                 const restore_options& o, std::stop_token stop)
{
    if (o.dump) {
        auto all = session.snapshots(engine::scope{.host = local.host, .tag = domain::tag_of_dump(*o.dump)}, stop);
        if (all && all->empty()) return no_snapshot("this machine has no snapshot of the dump " + *o.dump);
        return all;
    }
    if (is_id(o.snapshot)) return all_snapshots(session, local, stop);
    return session.snapshots(scope_of(local), stop);
}

result<job_outcome> restore(run_context& c, const restore_options& o, const engine::progress_sink& on_progress)
{
    if (auto ok = check_target(c.env.files, o); !ok) return base::failed(ok);
    auto session = open_repository(c);
    if (!session) return base::failed(session);
    const auto& address = c.effective.config.restic.repository;
    if (auto ok = require_repository(c.env.files, address, c.client, **session, c.stop); !ok) return base::failed(ok);
    const auto all = candidates(**session, c.local, o, c.stop);
    if (!all) return std::unexpected(all.error());
    auto chosen = choose_snapshot(*all, o.snapshot);
    if (!chosen) return base::failed(chosen);
    auto done =
        (*session)->restore({.snapshot_id = chosen->id, .target = o.target, .include = o.include}, on_progress, c.stop);
    if (!done) done.error().message += ", into " + o.target.string();
    if (!done) return base::failed(done);
    job_outcome out;
    out.metrics.snapshot_id = chosen->id;
    out.metrics.files_restored = done->files;
    out.metrics.bytes_restored = done->bytes;
    return out;
}

} // namespace

job_work restore_work(restore_options o, engine::progress_sink on_progress)
{
    return
        [o = std::move(o), on_progress = std::move(on_progress)](run_context& c) { return restore(c, o, on_progress); };
}

result<std::vector<engine::snapshot>> list_snapshots(environment& env, std::stop_token stop)
{
    auto r = open_for_reading(env, stop);
    if (!r) return base::failed(r);
    return all_snapshots(*r->session, r->local, stop);
}

result<> list_files(environment& env, const std::string& snapshot, const std::string& path,
                    const std::function<void(const engine::node&)>& each, std::stop_token stop)
{
    auto r = open_for_reading(env, stop);
    if (!r) return base::failed(r);
    const auto all = candidates(*r->session, r->local, {.snapshot = snapshot, .target = {}, .include = {}}, stop);
    if (!all) return std::unexpected(all.error());
    auto chosen = choose_snapshot(*all, snapshot);
    if (!chosen) return base::failed(chosen);
    return r->session->list(chosen->id, path, each, stop);
}

result<engine::retention_outcome> preview_retention(environment& env, std::stop_token stop)
{
    auto r = open_for_reading(env, stop);
    if (!r) return base::failed(r);
    const auto rules = plan_retention(r->effective);
    if (!rules) return std::unexpected(rules.error());
    auto files = r->session->apply(*rules, scope_of(r->local), true, stop);
    if (!files || r->effective.config.dumps.value_or(std::vector<std::string>{}).empty()) return files;
    const auto dumps = r->session->apply(*rules, scope_of_dumps(r->local), true, stop);
    if (!dumps) return dumps;
    files->kept += dumps->kept;
    files->removed += dumps->removed;
    files->removed_ids.insert(files->removed_ids.end(), dumps->removed_ids.begin(), dumps->removed_ids.end());
    return files;
}

result<engine::snapshot> choose_snapshot(const std::vector<engine::snapshot>& all, const std::string& wanted)
{
    if (all.empty()) return no_snapshot("this machine has no snapshot yet");
    if (wanted == "latest") return newest_until(all, base::time_point::max(), wanted);
    if (const auto day = end_of_day(wanted)) return newest_until(all, *day, wanted);
    if (const auto time = base::parse_rfc3339(wanted)) return newest_until(all, *time, wanted);
    const auto matches = [&](const engine::snapshot& s) { return wanted.size() >= 4 && s.id.starts_with(wanted); };
    const auto count = std::ranges::count_if(all, matches);
    if (count == 0) return no_snapshot("this machine has no snapshot " + wanted);
    if (count > 1) return no_snapshot("several snapshots begin with " + wanted);
    return *std::ranges::find_if(all, matches);
}

} // namespace xentz::agent
