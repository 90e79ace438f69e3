#include "scheduling.hpp"

#include "os/stop.hpp"
#include "os/system.hpp"

namespace xentz::apps {
namespace {

// Folders that every scheduler looks for programs in.
constexpr auto everywhere = "/usr/local/bin:/usr/bin:/bin";

// What the agent needs of the environment that `install` ran in, where a scheduler would not have it by itself.
std::map<std::string, std::string> kept_environment(const account& who)
{
    std::map<std::string, std::string> out;
    if (const auto value = who.variable("XENTZ_RESTIC"); !value.empty())
        out["XENTZ_RESTIC"] = std::filesystem::absolute(value);
    if (out.contains("XENTZ_RESTIC") || os::find_program("restic", everywhere)) return out;
    if (const auto found = os::find_program("restic", who.variable("PATH"))) out["XENTZ_RESTIC"] = found->string();
    return out;
}

std::map<std::string, std::string> tool_environment(const account& who, std::uint32_t user)
{
    std::map<std::string, std::string> out;
    for (const auto* name : {"HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"})
        if (auto value = who.variable(name); !value.empty()) out[name] = std::move(value);
    out.try_emplace("HOME", os::account_home().string());
    out["PATH"] = std::string{everywhere} + ":/usr/sbin:/sbin";
    // cron and sudo do not set it; the user's systemd is only found by it.
    const auto runtime = "/run/user/" + std::to_string(user);
    if (std::error_code ignored; std::filesystem::is_directory(runtime, ignored))
        out.try_emplace("XDG_RUNTIME_DIR", runtime);
    return out;
}

} // namespace

std::unique_ptr<agent::scheduling> make_scheduling(const scheduling_seams& seams, const agent::home& home,
                                                   const account& who)
{
    const auto user = os::user_id();
    const auto environment = tool_environment(who, user);
    schedule::surroundings around{
        .files = seams.files,
        .processes = seams.processes,
        .find_program = [path = environment.at("PATH")](std::string_view name) { return os::find_program(name, path); },
        .environment = environment,
        .platform = os::os_name(),
        .user_home = os::account_home(),
        .user = os::user_name(),
        .user_id = user,
        .folder = home.schedule()};
    schedule::invocation command{.program = os::program_path(), .environment = kept_environment(who)};
    const bool usual_home = home.folder == who.usual.folder;
    if (!usual_home) command.environment["XENTZ_AGENT_HOME"] = home.folder.string();
    if (home.config != (usual_home ? who.usual.config : home.folder / "config.json")) command.config = home.config;
    return std::make_unique<agent::scheduling>(
        agent::scheduling{.zone = seams.zone,
                          .around = std::move(around),
                          .command = std::move(command),
                          .instance = schedule::instance_of(home.folder, who.usual.folder),
                          .wait = os::wait_for});
}

} // namespace xentz::apps
