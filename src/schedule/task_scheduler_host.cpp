#include "schedule/host_support.hpp"
#include "schedule/task_xml.hpp"

namespace xentz::schedule {
namespace {

using base::result;

// What the Task Scheduler gives back is not the text that it was given; the definitions are therefore kept in the
// agent's folder, and it is only asked whether it has the task.
class task_scheduler_host final : public scheduler_host {
public:
    explicit task_scheduler_host(const surroundings& s) : machine_(s) {}

    std::string_view name() const override { return "task-scheduler"; }

    result<> apply(const timer_set& wanted) override
    {
        const auto now = look(wanted);
        if (!now) return std::unexpected(now.error());
        if (now->presence == presence::as_wanted) return {};
        const auto definitions = kept(wanted);
        if (!definitions) return std::unexpected(definitions.error());
        if (auto ok = remove(wanted.instance); !ok) return ok;
        for (std::size_t i = 0; i < wanted.timers.size(); ++i) {
            const auto file = machine_.folder / (*definitions)[i].name;
            if (auto ok = write_if_different(machine_.files, file, (*definitions)[i].text); !ok)
                return base::failed(ok);
            auto made = call_tool(
                machine_, "schtasks",
                {"/Create", "/TN", task_name(wanted.timers[i].task, wanted.instance), "/XML", file.string(), "/F"});
            if (made) continue;
            (void)remove_if_there(machine_.files, file); // it says that there is a task
            return base::failed(made);
        }
        return {};
    }

    result<> remove(const std::string& instance) override
    {
        for (const auto task : all_tasks) {
            const auto file = machine_.folder / file_name(task, instance);
            if (!machine_.files.info(file)) continue;
            if (exists(task, instance))
                if (auto gone = call_tool(machine_, "schtasks", {"/Delete", "/TN", task_name(task, instance), "/F"});
                    !gone)
                    return base::failed(gone);
            if (auto ok = remove_if_there(machine_.files, file); !ok) return ok;
        }
        return {};
    }

    result<installed> look(const timer_set& wanted) override
    {
        const auto definitions = kept(wanted);
        if (!definitions) return std::unexpected(definitions.error());
        auto out = compare_files(machine_.files, machine_.folder, *definitions);
        if (!out || out->presence != presence::as_wanted) return out;
        for (const auto& t : wanted.timers) {
            if (exists(t.task, wanted.instance)) continue;
            out->presence = presence::different;
            out->difference = "the Task Scheduler has no task " + task_name(t.task, wanted.instance);
            return out;
        }
        return out;
    }

    std::string caveat() override { return {}; }

private:
    static std::string file_name(task t, const std::string& instance)
    {
        return "task-" + std::string{schedule::name(t)} + (instance.empty() ? "" : "-" + instance) + ".xml";
    }

    result<std::vector<unit_file>> kept(const timer_set& wanted) const
    {
        auto definitions = task_definitions(wanted, machine_.user_id == 0 ? std::string{} : machine_.user);
        if (!definitions) return definitions;
        for (std::size_t i = 0; i < wanted.timers.size(); ++i)
            (*definitions)[i].name = file_name(wanted.timers[i].task, wanted.instance);
        return definitions;
    }

    bool exists(task t, const std::string& instance)
    {
        const auto answer = ask_tool(machine_, "schtasks", {"/Query", "/TN", task_name(t, instance)});
        return answer && answer->exit_code == 0;
    }

    surroundings machine_;
};

} // namespace

std::unique_ptr<scheduler_host> make_task_scheduler_host(const surroundings& s)
{
    return std::make_unique<task_scheduler_host>(s);
}

} // namespace xentz::schedule
