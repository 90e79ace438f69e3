#include "machine.hpp"

#include "scheduling.hpp"

#include "os/log.hpp"
#include "os/system.hpp"
#include "restic/environment.hpp"
#include "restic/restic_engine.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

result<std::filesystem::path> user_home()
{
    if (auto home = variable("HOME"); !home.empty()) return home;
    if (const auto* entry = ::getpwuid(::getuid()); entry != nullptr && entry->pw_dir != nullptr) return entry->pw_dir;
    return fail(fault_code::usage, "the user has no home folder", "Set HOME or XENTZ_AGENT_HOME");
}

// Where there is a folder for the machine's own agent, root uses that (docs/agent-files.md).
bool is_machines_own() { return ::geteuid() == 0 && std::filesystem::is_directory("/etc/xentz-agent"); }

result<std::filesystem::path> agent_home()
{
    if (const auto named = variable("XENTZ_AGENT_HOME"); !named.empty()) return std::filesystem::absolute(named);
    if (is_machines_own()) return "/var/lib/xentz-agent";
    auto home = user_home();
    if (!home) return home;
    return *home / ".xentz-agent";
}

std::filesystem::path default_config(const std::filesystem::path& home)
{
    return (is_machines_own() && variable("XENTZ_AGENT_HOME").empty() ? "/etc/xentz-agent" : home) / "config.json";
}

// The home of a run whose environment says nothing, as a scheduler's does.
agent::home usual_home()
{
    agent::home usual{.folder = is_machines_own() ? "/var/lib/xentz-agent" : os::account_home() / ".xentz-agent"};
    usual.config = (is_machines_own() ? "/etc/xentz-agent" : usual.folder) / "config.json";
    return usual;
}

std::map<std::string, std::string> restic_environment()
{
    auto out = restic::inherited([](const std::string& name) { return variable(name.c_str()); });
    if (!out.contains("PATH")) out["PATH"] = "/usr/local/bin:/usr/bin:/bin";
    if (!out.contains("HOME"))
        if (const auto home = user_home()) out["HOME"] = home->string();
    return out;
}

// Where there is none the engine says so when it is first needed; `status` needs none.
std::filesystem::path restic_program(const std::map<std::string, std::string>& environment)
{
    if (const auto named = variable("XENTZ_RESTIC"); !named.empty()) return std::filesystem::absolute(named);
    const auto found = os::find_program("restic", environment.at("PATH"));
    return found ? *found : std::filesystem::path{};
}

// Of the agent's own environment only what says whose it is: a command that runs by hand and from a timer alike.
std::map<std::string, std::string> command_environment(const std::map<std::string, std::string>& restics)
{
    const auto user = os::user_name();
    return {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            {"HOME", restics.contains("HOME") ? restics.at("HOME") : "/"},
            {"USER", user},
            {"LOGNAME", user},
            {"LANG", "C.UTF-8"}};
}

} // namespace

result<std::unique_ptr<machine>> machine::make(const std::string& config_file, bool verbose)
{
    const auto folder = agent_home();
    if (!folder) return std::unexpected(folder.error());
    agent::home home;
    home.folder = folder->lexically_normal();
    home.config = config_file.empty() ? default_config(home.folder) : std::filesystem::absolute(config_file);

    auto m = std::unique_ptr<machine>(new machine);
    m->files_ = os::make_files();
    m->clock_ = os::make_clock();
    m->random_ = os::make_random();
    // What a person must know the commands say themselves; the log has the rest, once there is a home for it.
    auto to_terminal = os::make_stderr_logger(m->secrets_, verbose ? base::log_level::debug : base::log_level::error);
    m->log_ = m->files_->info(home.log().parent_path()).has_value()
                  ? os::make_tee_logger(std::move(to_terminal), os::make_file_logger(home.log(), m->secrets_))
                  : std::move(to_terminal);
    m->processes_ = os::make_process_runner();
    m->process_table_ = os::make_process_table(*m->clock_);
    m->circumstances_ = os::make_circumstances();
    m->sleep_ = os::make_sleep_inhibitor("xentz-agent");
    const auto environment = restic_environment();
    m->engine_ = restic::make_restic_engine({.program = restic_program(environment),
                                             .cache_directory = home.cache(),
                                             .runtime_directory = home.runtime(),
                                             .base_environment = environment,
                                             .redactor = m->secrets_,
                                             .versions = restic::version_record{*m->files_, home.restic_version()}},
                                            *m->processes_);
    m->zone_ = os::make_local_zone();
    m->timers_ = make_scheduling({.files = *m->files_, .processes = *m->processes_, .zone = *m->zone_}, home,
                                 {variable, usual_home()});
    m->environment_ = std::make_unique<agent::environment>(agent::environment{
        .home = home,
        .files = *m->files_,
        .clock = *m->clock_,
        .random = *m->random_,
        .log = *m->log_,
        .secrets = m->secrets_,
        .engine = *m->engine_,
        .make_client = [](const http::client_options& o) { return http::make_client(o); },
        .agent_version = XENTZ_VERSION,
        .host_name = os::host_name(),
        .machine_id = os::machine_id(),
        .process_id = ::getpid(),
        .processes = *m->process_table_,
        .programs = *m->processes_,
        .command_environment = command_environment(environment),
        .circumstances = *m->circumstances_,
        .keep_awake = [sleep = m->sleep_.get()](const std::string& why) { return sleep->keep_awake(why); },
        .timers = m->timers_.get()});
    return m;
}

} // namespace xentz::apps
