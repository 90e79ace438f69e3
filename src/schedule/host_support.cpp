#include "schedule/host_support.hpp"

namespace xentz::schedule {

using base::fail;
using base::fault_code;
using base::result;

namespace {

constexpr std::uint64_t largest_file = std::uint64_t{4} << 20U;

std::string spoken(std::string_view tool, const std::vector<std::string>& args)
{
    std::string out{tool};
    for (const auto& arg : args) out += " " + arg;
    return out;
}

} // namespace

result<tool_answer> ask_tool(const surroundings& s, std::string_view tool, const std::vector<std::string>& args)
{
    const auto program = s.find_program(tool);
    if (!program)
        return fail(fault_code::scheduler_missing, "there is no program " + std::string{tool} + " on this machine",
                    "Install it, or choose another one with --scheduler");
    os::command c{.program = *program, .args = args, .environment = s.environment};
    c.environment["LC_ALL"] = "C";
    os::process_limits limits;
    limits.longest = std::chrono::seconds{30};
    limits.grace = std::chrono::seconds{2};
    tool_answer answer;
    const auto end = s.processes.run(
        c, limits, {}, [&](std::string_view line) { answer.out += std::string{line} + "\n"; },
        [&](std::string_view line) {
            if (!line.empty()) answer.err += (answer.err.empty() ? "" : "; ") + std::string{line};
        });
    if (!end) return std::unexpected(end.error());
    if (end->kind != os::process_end::how::exited)
        return fail(fault_code::scheduler_failed, "`" + spoken(tool, args) + "` did not end by itself",
                    "Look whether the scheduler is well, then try again");
    answer.exit_code = end->exit_code;
    return answer;
}

result<std::string> call_tool(const surroundings& s, std::string_view tool, const std::vector<std::string>& args)
{
    auto answer = ask_tool(s, tool, args);
    if (!answer) return base::failed(answer);
    if (answer->exit_code == 0) return std::move(answer->out);
    return fail(fault_code::scheduler_failed,
                "`" + spoken(tool, args) + "` failed: " +
                    (answer->err.empty() ? "exit code " + std::to_string(answer->exit_code) : answer->err),
                "Look whether the scheduler is well, or choose another one with --scheduler");
}

result<std::optional<std::string>> read_if_there(os::files& fs, const std::filesystem::path& p)
{
    auto text = os::read_all(fs, p, largest_file);
    if (text) return std::optional{std::move(*text)};
    if (text.error().code == fault_code::not_found) return std::nullopt;
    return base::failed(text);
}

result<bool> write_if_different(os::files& fs, const std::filesystem::path& p, const std::string& text)
{
    const auto present = read_if_there(fs, p);
    if (!present) return std::unexpected(present.error());
    if (*present == text) return false;
    if (auto ok = os::create_directories(fs, p.parent_path()); !ok) return base::failed(ok);
    if (auto ok = os::write_atomic(fs, p, text); !ok) return base::failed(ok);
    return true;
}

result<> remove_if_there(os::files& fs, const std::filesystem::path& p)
{
    auto gone = fs.remove(p);
    if (!gone && gone.error().code == fault_code::not_found) return {};
    return gone;
}

result<installed> compare_files(os::files& fs, const std::filesystem::path& folder,
                                const std::vector<unit_file>& wanted)
{
    installed out;
    std::size_t there = 0;
    for (const auto& unit : wanted) {
        const auto text = read_if_there(fs, folder / unit.name);
        if (!text) return std::unexpected(text.error());
        if (*text) ++there;
        if (*text == unit.text || !out.difference.empty()) continue;
        out.difference = (folder / unit.name).string() + (*text ? " is not as it should be" : " is missing");
    }
    if (out.difference.empty())
        out.presence = presence::as_wanted;
    else
        out.presence = there > 0 ? presence::different : presence::absent;
    return out;
}

} // namespace xentz::schedule
