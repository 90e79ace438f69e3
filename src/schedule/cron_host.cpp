#include "schedule/crontab.hpp"
#include "schedule/host_support.hpp"

namespace xentz::schedule {
namespace {

using base::fail;
using base::fault_code;
using base::result;

class cron_host final : public scheduler_host {
public:
    explicit cron_host(const surroundings& s) : machine_(s) {}

    std::string_view name() const override { return "cron"; }

    result<> apply(const timer_set& wanted) override
    {
        const auto block = crontab_block(wanted);
        if (!block) return std::unexpected(block.error());
        return change(wanted.instance, *block);
    }

    result<> remove(const std::string& instance) override { return change(instance, ""); }

    result<installed> look(const timer_set& wanted) override
    {
        const auto block = crontab_block(wanted);
        if (!block) return std::unexpected(block.error());
        const auto crontab = read();
        if (!crontab) return std::unexpected(crontab.error());
        const auto found = find_block(*crontab, wanted.instance);
        if (!found) return std::unexpected(found.error());
        installed out;
        out.presence = !*found ? presence::absent : **found == *block ? presence::as_wanted : presence::different;
        if (!*found) out.difference = "the crontab has no block of xentz-agent";
        if (out.presence == presence::different) out.difference = "the block in the crontab is not as it should be";
        return out;
    }

    std::string caveat() override { return {}; }

private:
    // Through a file, not through the output of a child that is read by lines: foreign bytes stay as they are.
    result<std::string> read()
    {
        const auto crontab = machine_.find_program("crontab");
        if (!crontab)
            return fail(fault_code::scheduler_missing, "there is no program crontab on this machine",
                        "Install cron, or choose another one with --scheduler");
        if (auto ok = os::create_directories(machine_.files, machine_.folder); !ok) return base::failed(ok);
        const auto copy = machine_.folder / "crontab.old";
        const auto answer = ask_tool(machine_, "sh", {"-c", R"(exec "$0" -l >"$1")", crontab->string(), copy.string()});
        if (!answer) return std::unexpected(answer.error());
        const auto text = read_if_there(machine_.files, copy);
        (void)remove_if_there(machine_.files, copy); // the next one writes over it
        if (answer->exit_code == 0)
            return text ? result<std::string>{text->value_or("")} : std::unexpected(text.error());
        if (answer->err.contains("no crontab for")) return std::string{};
        return fail(fault_code::scheduler_failed, "the crontab cannot be read: " + answer->err,
                    "Look whether this user may use `crontab`");
    }

    result<> change(const std::string& instance, const std::string& block)
    {
        const auto before = read();
        if (!before) {
            // Without cron there is nothing to remove.
            if (block.empty() && before.error().code == fault_code::scheduler_missing) return {};
            return std::unexpected(before.error());
        }
        // Cron's own listing shows a carriage return as these two characters; written back, it would be them.
        if (before->contains("\\r\n"))
            return fail(fault_code::conflict,
                        "a line of the crontab ends with a carriage return, which `crontab -l` does not give as it is: "
                        "nothing was changed",
                        "Take the carriage returns out with `crontab -e`, then try again");
        const auto after = with_block(*before, instance, block);
        if (!after) return std::unexpected(after.error());
        if (*after == *before) return {};
        if (auto ok = write(*after); !ok) return ok;
        const auto now = read();
        if (!now) return std::unexpected(now.error());
        if (*now == *after) return {};
        return fail(fault_code::scheduler_failed, "crontab said that it took the new crontab, but holds another one",
                    "Look at `crontab -l`, then try again");
    }

    result<> write(const std::string& text)
    {
        if (text.empty()) {
            auto gone = call_tool(machine_, "crontab", {"-r"});
            return gone ? result<>{} : base::failed(gone);
        }
        const auto file = machine_.folder / "crontab.new";
        if (auto ok = os::write_atomic(machine_.files, file, text); !ok) return ok;
        auto taken = call_tool(machine_, "crontab", {file.string()});
        (void)remove_if_there(machine_.files, file); // the next one writes over it
        return taken ? result<>{} : base::failed(taken);
    }

    surroundings machine_;
};

} // namespace

std::unique_ptr<scheduler_host> make_cron_host(const surroundings& s) { return std::make_unique<cron_host>(s); }

} // namespace xentz::schedule
