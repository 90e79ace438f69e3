#include "schedule/host_support.hpp"

#include <algorithm>
#include <charconv>

namespace xentz::schedule {
namespace {

using base::fail;
using base::fault_code;
using base::result;

class systemd_host final : public scheduler_host {
public:
    explicit systemd_host(const surroundings& s)
        : machine_(s), scope_(s.user_id == 0 ? unit_scope::system : unit_scope::user)
    {
        const auto config = s.environment.find("XDG_CONFIG_HOME");
        folder_ = scope_ == unit_scope::system    ? std::filesystem::path{"/etc/systemd/system"}
                  : config != s.environment.end() ? std::filesystem::path{config->second} / "systemd/user"
                                                  : s.user_home / ".config/systemd/user";
    }

    std::string_view name() const override { return "systemd"; }

    result<> apply(const timer_set& wanted) override
    {
        auto now = look(wanted);
        if (!now) return base::failed(now);
        if (now->presence == presence::as_wanted && !has_others(wanted)) return {};
        if (auto ok = remove_others(wanted); !ok) return ok;
        std::vector<std::string> timers;
        for (const auto& unit : systemd_units(wanted, scope_)) {
            if (auto ok = write_if_different(machine_.files, folder_ / unit.name, unit.text); !ok)
                return base::failed(ok);
            if (unit.name.ends_with(".timer")) timers.push_back(unit.name);
        }
        if (auto ok = systemctl({"daemon-reload"}); !ok) return base::failed(ok);
        if (auto ok = systemctl(with("enable", timers)); !ok) return base::failed(ok);
        // A timer that runs goes on by its old expression until it is started anew.
        if (auto ok = systemctl(with("restart", timers)); !ok) return base::failed(ok);
        now = look(wanted);
        if (!now) return base::failed(now);
        if (now->presence == presence::as_wanted) return {};
        return fail(fault_code::scheduler_failed, "systemd did not take the timers: " + now->difference,
                    "Look at `systemctl" + std::string{scope_ == unit_scope::user ? " --user" : ""} +
                        " status 'xentz-agent-*'`");
    }

    result<> remove(const std::string& instance) override
    {
        for (const auto task : all_tasks)
            if (auto ok = remove_task(task, instance); !ok) return ok;
        return reload_if_possible();
    }

    result<installed> look(const timer_set& wanted) override
    {
        auto out = compare_files(machine_.files, folder_, systemd_units(wanted, scope_));
        if (!out || out->presence == presence::absent) return out;
        std::vector<std::string> args{"show", "--timestamp=unix", "--property=Id,ActiveState,NextElapseUSecRealtime"};
        for (const auto& t : wanted.timers) args.push_back(unit_name(t.task, wanted.instance, ".timer"));
        const auto text = systemctl(args);
        if (!text) return std::unexpected(text.error());
        for (const auto& t : wanted.timers)
            read_timer(*text, unit_name(t.task, wanted.instance, ".timer"), t.task, *out);
        return out;
    }

    std::string caveat() override
    {
        if (scope_ == unit_scope::system) return {};
        if (machine_.files.info(std::filesystem::path{"/var/lib/systemd/linger"} / machine_.user)) return {};
        return "runs happen only while " + machine_.user + " is logged in; `sudo loginctl enable-linger " +
               machine_.user + "` makes them happen always";
    }

private:
    static std::vector<std::string> with(std::string verb, const std::vector<std::string>& units)
    {
        std::vector<std::string> args{std::move(verb)};
        args.insert(args.end(), units.begin(), units.end());
        return args;
    }

    result<std::string> systemctl(std::vector<std::string> args)
    {
        if (scope_ == unit_scope::user) args.insert(args.begin(), "--user");
        return call_tool(machine_, "systemctl", args);
    }

    bool is_there(task t, const std::string& instance)
    {
        return machine_.files.info(folder_ / unit_name(t, instance, ".timer")).has_value() ||
               machine_.files.info(folder_ / unit_name(t, instance, ".service")).has_value();
    }

    template <class Each>
    result<> each_other(const timer_set& wanted, Each each)
    {
        for (const auto task : all_tasks) {
            const bool is_wanted = std::ranges::any_of(wanted.timers, [&](const timer& t) { return t.task == task; });
            if (is_wanted || !is_there(task, wanted.instance)) continue;
            if (auto ok = each(task); !ok) return ok;
        }
        return {};
    }

    bool has_others(const timer_set& wanted)
    {
        bool found = false;
        (void)each_other(wanted, [&](task) -> result<> {
            found = true;
            return {};
        });
        return found;
    }

    result<> remove_others(const timer_set& wanted)
    {
        return each_other(wanted, [&](task t) { return remove_task(t, wanted.instance); });
    }

    // Where no manager answers, what it would do is done by hand: the files are what it goes by when it starts.
    result<> remove_task(task t, const std::string& instance)
    {
        if (!is_there(t, instance)) return {};
        const auto timer = unit_name(t, instance, ".timer");
        const auto service = unit_name(t, instance, ".service");
        const bool stopped = systemctl({"disable", "--now", timer}).has_value();
        // The stamp of a persistent timer; a manager that is not there cannot remove it, and it does no harm.
        if (stopped) {
            (void)systemctl({"clean", "--what=state", timer});
            (void)systemctl({"reset-failed", service});
        }
        for (const auto& p : {folder_ / "timers.target.wants" / timer, folder_ / timer, folder_ / service})
            if (auto ok = remove_if_there(machine_.files, p); !ok) return ok;
        return {};
    }

    result<> reload_if_possible()
    {
        (void)systemctl({"daemon-reload"});
        return {};
    }

    // "Id=NAME", "ActiveState=active", "NextElapseUSecRealtime=@1795458665", in blocks with an empty line between them.
    static void read_timer(const std::string& text, const std::string& name, task t, installed& out)
    {
        bool active = false;
        for (std::size_t from = 0; from < text.size();) {
            const auto to = std::min(text.find("\n\n", from), text.size());
            const auto block = "\n" + text.substr(from, to - from) + "\n";
            from = to + 2;
            if (!block.contains("\nId=" + name + "\n")) continue;
            active = block.contains("\nActiveState=active\n");
            constexpr std::string_view key = "\nNextElapseUSecRealtime=@";
            const auto at = block.find(key);
            std::int64_t seconds = 0;
            if (at == std::string::npos) continue;
            const auto* const begin = block.data() + at + key.size();
            if (std::from_chars(begin, block.data() + block.size(), seconds).ec == std::errc{})
                out.next[t] = base::time_point{std::chrono::seconds{seconds}};
        }
        if (active || out.presence != presence::as_wanted) return;
        out.presence = presence::different;
        out.difference = name + " is not running";
    }

    surroundings machine_;
    unit_scope scope_;
    std::filesystem::path folder_;
};

} // namespace

std::unique_ptr<scheduler_host> make_systemd_host(const surroundings& s) { return std::make_unique<systemd_host>(s); }

} // namespace xentz::schedule
