// The schedulers of machines behind one interface: systemd, cron, launchd, the Task Scheduler. A host works on the
// machine through the seams that it is given, so all of them can be tried anywhere.
//
// Faults: scheduler_failed where the scheduler refuses or does not answer, scheduler_missing where it is not here,
// those of files, invalid_value and conflict of the texts. Threads: one thread at a time.
#pragma once

#include "base/clock.hpp"
#include "os/files.hpp"
#include "os/process.hpp"
#include "schedule/timers.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::schedule {

// The machine and the account that the runs are for.
struct surroundings {
    os::files& files;
    os::process_runner& processes;
    std::function<base::result<std::filesystem::path>(std::string_view)> find_program;
    std::map<std::string, std::string> environment; // of the schedulers' tools
    std::string platform;                           // os::os_name()
    std::filesystem::path user_home;
    std::string user;
    std::uint32_t user_id = 0;    // 0 is root: the machine's own timers, not a user's
    std::filesystem::path folder; // a folder of the agent, for files that a scheduler's tool has to read
};

enum class presence { absent, different, as_wanted };

struct installed {
    schedule::presence presence = schedule::presence::absent;
    std::string difference; // what is missing or not as wanted, for people
    // The next starts as the scheduler itself says; empty where it cannot be asked.
    std::map<task, base::time_point> next;
};

class scheduler_host {
public:
    virtual ~scheduler_host() = default;
    virtual std::string_view name() const = 0; // as --scheduler says it
    // Installs the timers, or changes those of the same instance to what is wanted; looks afterwards whether the
    // scheduler has them. Does nothing where all is as wanted.
    virtual base::result<> apply(const timer_set& wanted) = 0;
    // Leaves nothing behind; nothing to remove is no fault.
    virtual base::result<> remove(const std::string& instance) = 0;
    virtual base::result<installed> look(const timer_set& wanted) = 0;
    // What somebody must know about runs by this scheduler here, for example that they only happen while the user is
    // logged in; empty where there is nothing.
    virtual std::string caveat() = 0;
};

std::unique_ptr<scheduler_host> make_systemd_host(const surroundings& s);
std::unique_ptr<scheduler_host> make_cron_host(const surroundings& s);
std::unique_ptr<scheduler_host> make_launchd_host(const surroundings& s);
std::unique_ptr<scheduler_host> make_task_scheduler_host(const surroundings& s);

// By its name; empty for another one.
std::unique_ptr<scheduler_host> make_host(std::string_view name, const surroundings& s);

struct choice {
    std::unique_ptr<scheduler_host> host;
    std::string why; // a sentence without a full stop
};

// `wish`: auto, systemd, cron, launchd or task-scheduler. auto takes the platform's own; on Linux systemd where its
// manager answers, then cron where its daemon runs. scheduler_missing where there is none, or not the one wished for;
// usage for another wish.
base::result<choice> choose_host(std::string_view wish, const surroundings& s);

} // namespace xentz::schedule
