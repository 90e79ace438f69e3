#include "schedule/host_support.hpp"
#include "schedule/launchd_plist.hpp"

namespace xentz::schedule {
namespace {

using base::fail;
using base::fault_code;
using base::result;

class launchd_host final : public scheduler_host {
public:
    explicit launchd_host(const surroundings& s)
        : machine_(s), domain_(s.user_id == 0 ? "system" : "gui/" + std::to_string(s.user_id)),
          folder_(s.user_id == 0 ? std::filesystem::path{"/Library/LaunchDaemons"}
                                 : s.user_home / "Library/LaunchAgents")
    {
    }

    std::string_view name() const override { return "launchd"; }

    result<> apply(const timer_set& wanted) override
    {
        auto now = look(wanted);
        if (!now) return base::failed(now);
        if (now->presence == presence::as_wanted) return {};
        if (auto ok = remove(wanted.instance); !ok) return ok;
        for (const auto& plist : launchd_plists(wanted)) {
            const auto file = folder_ / plist.name;
            if (auto ok = write_if_different(machine_.files, file, plist.text); !ok) return base::failed(ok);
            if (auto ok = call_tool(machine_, "launchctl", {"bootstrap", domain_, file.string()}); !ok)
                return base::failed(ok);
        }
        now = look(wanted);
        if (!now) return base::failed(now);
        if (now->presence == presence::as_wanted) return {};
        return fail(fault_code::scheduler_failed, "launchd did not take the jobs: " + now->difference,
                    "Look at `launchctl print " + domain_ + "`");
    }

    result<> remove(const std::string& instance) override
    {
        for (const auto task : all_tasks) {
            const auto file = folder_ / (launchd_label(task, instance) + ".plist");
            if (!machine_.files.info(file)) continue;
            // It may be known to nobody, after a log-out for example; the file is what counts.
            (void)call_tool(machine_, "launchctl", {"bootout", service(task, instance)});
            if (auto ok = remove_if_there(machine_.files, file); !ok) return ok;
        }
        return {};
    }

    result<installed> look(const timer_set& wanted) override
    {
        auto out = compare_files(machine_.files, folder_, launchd_plists(wanted));
        if (!out || out->presence != presence::as_wanted) return out;
        for (const auto& t : wanted.timers) {
            const auto answer = ask_tool(machine_, "launchctl", {"print", service(t.task, wanted.instance)});
            if (!answer) return std::unexpected(answer.error());
            if (answer->exit_code == 0) continue;
            out->presence = presence::different;
            out->difference = launchd_label(t.task, wanted.instance) + " is not loaded";
            return out;
        }
        return out;
    }

    std::string caveat() override
    {
        return machine_.user_id == 0 ? std::string{} : "runs happen only while " + machine_.user + " is logged in";
    }

private:
    std::string service(task t, const std::string& instance) const
    {
        return domain_ + "/" + launchd_label(t, instance);
    }

    surroundings machine_;
    std::string domain_;
    std::filesystem::path folder_;
};

} // namespace

std::unique_ptr<scheduler_host> make_launchd_host(const surroundings& s) { return std::make_unique<launchd_host>(s); }

} // namespace xentz::schedule
