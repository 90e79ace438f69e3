#include "agent/doctor.hpp"

#include "agent/job_run.hpp"
#include "agent/local_commands.hpp"
#include "agent/plan.hpp"
#include "agent/repository_pin.hpp"
#include "os/lock.hpp"

#include <algorithm>
#include <array>

namespace xentz::agent {
namespace {

using base::result;

// More files than that nobody wants to wait for; what was found until then counts.
constexpr std::size_t most_files_weighed = 200'000;

std::uint64_t weigh(os::files& fs, const std::filesystem::path& folder, std::size_t& left)
{
    std::uint64_t bytes = 0;
    std::vector<std::filesystem::path> below;
    static_cast<void>(fs.list(folder, [&](const os::directory_entry& e) {
        if (left == 0) return false;
        --left;
        if (e.kind == os::file_kind::directory) below.push_back(folder / e.name);
        if (e.kind == os::file_kind::regular)
            if (const auto info = fs.info(folder / e.name)) bytes += info->bytes;
        return true;
    }));
    for (const auto& one : below) bytes += weigh(fs, one, left);
    return bytes;
}

class examination {
public:
    examination(environment& env, const doctor_probes& probes) : env_(env), probes_(probes) {}

    std::vector<finding> operator()(std::stop_token stop)
    {
        add(findings::engine(env_.engine.version(), env_.engine.name()));
        auto local = load_local_config(env_.files, env_.home.config, *env_.secrets);
        add(findings::config_file(local, env_.home));
        if (env_.files.info(env_.home.folder)) look_at_home(local);
        if (local)
            look_at_config(*local, stop);
        else
            for (const auto* check : {"config", "repository", "password", "include"})
                add(findings::not_checked(check, "there is no usable config.json"));
        look_at_runs();
        return std::move(all_);
    }

private:
    void add(finding f)
    {
        f.message = env_.secrets->clean(f.message);
        f.remedy = env_.secrets->clean(f.remedy);
        all_.push_back(std::move(f));
    }

    void look_at_home(const result<local_config>& local)
    {
        auto private_paths = std::to_array<std::filesystem::path>(
            {env_.home.folder, env_.home.config, env_.home.cached_config(), env_.home.folder / "state",
             env_.home.spool(), env_.home.log().parent_path(), env_.home.log(),
             local && !local->restic.password_file.empty() ? std::filesystem::path{local->restic.password_file}
                                                           : env_.home.password()});
        std::vector<findings::file_rights> rights;
        for (const auto& path : private_paths)
            if (const auto info = env_.files.info(path))
                rights.push_back({path, info->mode, probes_.owned_by_this_user(path)});
        add(findings::permissions(rights));
        add(findings::free_space("space-home", env_.home.folder, probes_.free_bytes(env_.home.folder)));
        if (env_.files.info(env_.home.cache()))
            add(findings::free_space("space-cache", env_.home.cache(), probes_.free_bytes(env_.home.cache())));
        add(findings::free_space("space-temporary", probes_.temporary, probes_.free_bytes(probes_.temporary)));
        auto left = most_files_weighed;
        add(findings::cache(weigh(env_.files, env_.home.cache(), left), probes_.free_bytes(env_.home.folder)));
        left = most_files_weighed;
        add(findings::logs(weigh(env_.files, env_.home.log().parent_path(), left)));
    }

    void look_at_config(const local_config& local, std::stop_token stop)
    {
        const auto now = env_.clock.now();
        const auto client = env_.make_client(client_options_of(local, env_.agent_version));
        std::optional<control_plane> server;
        if (local.managed()) server.emplace(*client, *local.server_url);
        const auto effective = load_config(env_, local, server ? &*server : nullptr, stop);
        if (server) {
            add(findings::control_plane(local, effective));
            add(findings::device_key(effective));
        }
        add(findings::config(effective, now));
        std::optional<std::chrono::seconds> skew;
        if (effective) {
            add(findings::enabled(*effective));
            const auto other = look_at_repository(local, *effective, *client, stop);
            skew = effective->clock_skew ? effective->clock_skew : other;
        } else {
            for (const auto* check : {"repository", "password", "include"})
                add(findings::not_checked(check, "there is no config"));
        }
        add(findings::clock(skew));
        if (effective) look_at_folders(local, *effective);
        if (effective) look_at_commands(local, *effective);
        if (server) add(findings::reports(files_in(env_.home.spool()), files_in(env_.home.rejected())));
    }

    // How far this machine's clock is ahead of the repository's server, where that told its time.
    std::optional<std::chrono::seconds> look_at_repository(const local_config& local, const effective_config& effective,
                                                           http::client& client, std::stop_token stop)
    {
        const auto& address = effective.config.restic.repository;
        const auto session = open_repository(env_, local, effective);
        if (!session) {
            add(findings::not_checked("repository", "its password is missing"));
            add(findings::password(std::unexpected(session.error())));
            return std::nullopt;
        }
        const auto pin = load_pin(env_.files, env_.home);
        const auto look = agent::look_at_repository(env_.files, address, client, **session, stop);
        add(findings::repository(address, look, pin, local.managed()));
        if (look && look->present) {
            const auto newest = (*session)->latest(scope_of(local), stop);
            add(findings::password(newest));
            if (newest) look_at_identity(address, *look, pin, **session, stop);
        } else if (!look && look.error().code == base::fault_code::wrong_password) {
            add(findings::password(std::unexpected(look.error())));
        } else {
            add(findings::not_checked("password", "there is no repository to open"));
        }
        if (!look || !look->server_time) return std::nullopt;
        return std::chrono::duration_cast<std::chrono::seconds>(env_.clock.now() - *look->server_time);
    }

    // Is it still the repository that this machine backed up to? The engine is asked only where its config is another.
    void look_at_identity(const std::string& address, const repository_look& look,
                          const result<std::optional<repository_pin>>& pin, engine::session& session,
                          std::stop_token stop)
    {
        if (!pin || !*pin) return;
        const auto& known = **pin;
        if (look.fingerprint && look.fingerprint == known.fingerprint) return;
        const auto id = look.id ? result<std::string>{*look.id} : session.repository_id(std::move(stop));
        if (id && *id != known.id) add(findings::other_repository(address, known, *id));
    }

    void look_at_folders(const local_config& local, const effective_config& effective)
    {
        auto asked = effective;
        asked.config.enabled = true; // a disabled device is told so elsewhere
        const auto request = plan_backup(local, asked, env_.home);
        if (!request) {
            add(findings::nothing_included());
            return;
        }
        for (const auto& path : request->include) {
            auto alone = *request;
            alone.include = {path};
            add(findings::included(path, probes_.may_read(path), excluded_includes(alone)));
        }
        for (const auto& path : effective.config.restic.exclude_files.value_or(std::vector<std::string>{}))
            add(findings::exclude_file(path, probes_.may_read(path)));
    }

    void look_at_commands(const local_config& local, const effective_config& effective)
    {
        std::vector<std::string> named = effective.config.dumps.value_or(std::vector<std::string>{});
        for (const auto& hook : effective.config.hooks.value_or(std::vector<domain::hook>{}))
            add_missing(named, {hook.command});
        if (named.empty()) return;
        std::vector<base::fault> troubles;
        for (const auto& name : named) {
            const auto command = find_command(env_, local, effective, name);
            if (!command)
                troubles.push_back(command.error());
            else if (probes_.may_read(command->run.front()) == os::readability::missing)
                troubles.push_back({base::fault_code::config_invalid,
                                    "the command " + name + " is " + command->run.front() + ", which does not exist",
                                    "Install it, or mend the command"});
        }
        add(findings::commands(named, troubles));
    }

    void look_at_runs()
    {
        add(probes_.schedule ? probes_.schedule()
                             : finding{"schedule", finding_state::warning, "nothing is scheduled",
                                       "Call `xentz-agent backup` from a scheduler of your own"});
        std::optional<base::fault> holder;
        if (std::error_code none; std::filesystem::exists(env_.home.lock(), none))
            if (const auto lock = os::try_lock(env_.home.lock(), "doctor"); !lock) holder = lock.error();
        add(findings::run(holder, load_marker(env_.files, env_.home)));
        for (const auto job : {domain::job::backup, domain::job::retention, domain::job::check})
            if (const auto last = load_state(env_.files, env_.home, job); last || job == domain::job::backup)
                add(findings::last_result(job, last, env_.clock.now()));
    }

    std::size_t files_in(const std::filesystem::path& folder)
    {
        std::size_t n = 0;
        static_cast<void>(env_.files.list(folder, [&](const os::directory_entry& e) {
            if (e.kind == os::file_kind::regular && e.name.ends_with(".json")) ++n;
            return true;
        }));
        return n;
    }

    environment& env_;
    const doctor_probes& probes_;
    std::vector<finding> all_;
};

} // namespace

doctor_probes probes_of_this_machine(std::filesystem::path temporary)
{
    return {.free_bytes = [](const auto& p) { return os::free_bytes(p); },
            .may_read = [](const auto& p) { return os::may_read(p); },
            .owned_by_this_user = [](const auto& p) { return os::owned_by_this_user(p); },
            .temporary = std::move(temporary),
            .schedule = {}};
}

std::vector<finding> examine(environment& env, const doctor_probes& probes, std::stop_token stop)
{
    return examination{env, probes}(std::move(stop));
}

bool stops_a_backup(const std::vector<finding>& all)
{
    return std::ranges::any_of(all, [](const finding& f) { return f.state == finding_state::problem; });
}

} // namespace xentz::agent
