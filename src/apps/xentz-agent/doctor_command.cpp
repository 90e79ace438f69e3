#include "agent/doctor.hpp"
#include "agent/exit_code.hpp"
#include "agent/timetable.hpp"
#include "base/size_text.hpp"
#include "context.hpp"
#include "os/terminal.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace xentz::apps {
namespace {

using agent::finding_state;

struct finding_output {
    std::string check;
    std::string state;
    std::string message;
    std::string remedy;
};
BOOST_DESCRIBE_STRUCT(finding_output, (), (check, state, message, remedy))

struct doctor_output {
    std::uint32_t format = 1;
    bool healthy = false;
    std::vector<finding_output> findings;
};
BOOST_DESCRIBE_STRUCT(doctor_output, (), (format, healthy, findings))

std::string_view colour_of(finding_state s)
{
    switch (s) {
    case finding_state::good:
        return "\033[32m";
    case finding_state::warning:
        return "\033[33m";
    case finding_state::problem:
        return "\033[31m";
    case finding_state::not_checked:
        break;
    }
    return "\033[2m";
}

std::string padded(std::string text, std::size_t width)
{
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

void tell(const std::vector<agent::finding>& all)
{
    constexpr std::size_t state_width = 13;
    constexpr std::size_t check_width = 17;
    const bool coloured = os::wants_colour(os::output::standard);
    for (const auto& f : all) {
        const auto word = padded(std::string{agent::name(f.state)}, state_width);
        std::cout << (coloured ? std::string{colour_of(f.state)} + word + "\033[0m" : word)
                  << padded(f.check, check_width) << printable(f.message) << ".\n";
        if (!f.remedy.empty()) std::cout << std::string(state_width + check_width, ' ') << printable(f.remedy) << ".\n";
    }
    const auto count = [&](finding_state s) {
        return static_cast<std::uint64_t>(std::ranges::count(all, s, &agent::finding::state));
    };
    const auto problems = count(finding_state::problem);
    const auto warnings = count(finding_state::warning);
    std::cout << (problems == 0 ? "\nNothing stops the next backup"
                                : "\n" + base::counted(problems, "problem") + " to be solved")
              << (warnings == 0 ? "" : "; " + base::counted(warnings, "warning")) << ".\n"
              << std::flush;
}

std::filesystem::path temporary_folder()
{
    const char* named = std::getenv("TMPDIR");
    return named != nullptr && *named != '\0' ? named : "/tmp";
}

int run_doctor(agent::environment& env, bool json, std::stop_token stop)
{
    auto probes = agent::probes_of_this_machine(temporary_folder());
    probes.schedule = [&env] { return agent::examine_timers(env); };
    const auto all = agent::examine(env, probes, std::move(stop));
    const bool healthy = !agent::stops_a_backup(all);
    if (json) {
        doctor_output out{.healthy = healthy};
        for (const auto& f : all)
            out.findings.push_back({f.check, std::string{agent::name(f.state)}, f.message, f.remedy});
        print_json(out);
    } else {
        tell(all);
    }
    return healthy ? agent::exit_done : agent::exit_failed;
}

} // namespace

void add_doctor_command(CLI::App& app, context& c)
{
    app.add_subcommand("doctor", "look for everything that could stop the next backup, and say what to do")
        ->callback([&c] {
            c.action = [&c](agent::environment& env, std::stop_token stop) {
                return run_doctor(env, c.json, std::move(stop));
            };
        });
}

} // namespace xentz::apps
