// What doctor makes of what it was told: pure functions from an answer to a finding. Nothing here asks anybody; the
// questions are in doctor.cpp.
#pragma once

#include "agent/config_source.hpp"
#include "agent/local_config.hpp"
#include "agent/preflight.hpp"
#include "agent/repository_pin.hpp"
#include "agent/state.hpp"
#include "agent/status.hpp"
#include "os/inspection.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xentz::agent {

// problem: it stops the next backup, or makes it worthless. warning: somebody should look. not_checked: something else
// has to be mended first; the message says what.
enum class finding_state { good, warning, problem, not_checked };
std::string_view name(finding_state s); // "not-checked"

struct finding {
    std::string check; // what was looked at: "restic", "config", "repository", ...
    finding_state state = finding_state::good;
    std::string message; // a sentence without a full stop
    std::string remedy;  // empty where nothing is to be done
    bool operator==(const finding&) const = default;
};

constexpr std::uint64_t least_free_bytes = std::uint64_t{100} << 20U;
constexpr std::uint64_t scarce_free_bytes = std::uint64_t{1} << 30U;
constexpr std::uint64_t most_log_bytes = std::uint64_t{6} << 20U; // five files of 1 MiB, and the last lines of each

namespace findings {

finding not_checked(std::string check, const std::string& why);

finding engine(const base::result<std::string>& version, std::string_view engine_name);
finding config_file(const base::result<local_config>& local, const home& h);
finding enabled(const effective_config& effective);

struct file_rights {
    std::filesystem::path path;
    unsigned mode = 0; // permission bits
    bool ours = true;
};
finding permissions(const std::vector<file_rights>& files);

// The server's part in what `load_config` came to: whether it answered, whether it knows this device, and whether its
// config can be used.
finding control_plane(const local_config& local, const base::result<effective_config>& effective);
finding device_key(const base::result<effective_config>& effective);
finding config(const base::result<effective_config>& effective, base::time_point now);

// How far this machine's clock is ahead of a server's; absent where none told its time.
finding clock(const std::optional<std::chrono::seconds>& skew);

finding repository(const std::string& address, const base::result<repository_look>& look,
                   const base::result<std::optional<repository_pin>>& pin, bool managed);
finding other_repository(const std::string& address, const repository_pin& known, const std::string& id);
finding password(const base::result<std::optional<engine::snapshot>>& newest);

finding free_space(std::string check, const std::filesystem::path& folder, const base::result<std::uint64_t>& free);
finding cache(std::uint64_t bytes, const base::result<std::uint64_t>& free);
finding logs(std::uint64_t bytes);

finding included(const std::string& path, os::readability r, const std::vector<std::string>& excluded);
finding nothing_included();
finding exclude_file(const std::string& path, os::readability r);

// The commands that the config names: each has to be known here, and its program to be there.
finding commands(const std::vector<std::string>& named, const std::vector<base::fault>& troubles);
finding reports(std::size_t pending, std::size_t rejected);
// `holder` is the fault of trying to take the run lock; absent where nobody has it.
finding run(const std::optional<base::fault>& holder, const std::optional<running_marker>& marker);
finding last_result(domain::job job, const std::optional<job_state>& last, base::time_point now);

} // namespace findings
} // namespace xentz::agent
