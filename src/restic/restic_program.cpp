#include "restic/restic_program.hpp"

#include "restic/command_line.hpp"
#include "restic/environment.hpp"
#include "restic/error_lines.hpp"

#include <system_error>

namespace xentz::restic {
namespace {

constexpr std::string_view remedy_missing = "Install restic, or name the program with XENTZ_RESTIC";

} // namespace

std::string restic_program::clean(std::string_view text) const
{
    // Without a list of secrets there are still the passwords in URLs.
    return setup_.redactor ? setup_.redactor->clean(text) : base::redactor{}.clean(text);
}

base::result<os::process_end> restic_program::run(os::command command, const os::process_limits& limits,
                                                  std::stop_token stop, const os::line_sink& out,
                                                  const os::line_sink& err)
{
    command.program = setup_.program;
    auto end = runner_->run(command, limits, std::move(stop), out, err);
    std::error_code ignored;
    if (!end && !std::filesystem::exists(setup_.program, ignored))
        return base::fail(base::fault_code::restic_missing,
                          "there is no restic on this machine: " + end.error().message, std::string{remedy_missing});
    return end;
}

base::result<version> restic_program::version(std::stop_token stop)
{
    const std::scoped_lock lock{mutex_};
    if (known_) return *known_;
    // Before the program is asked: one that is replaced meanwhile is another file.
    const auto identity = setup_.versions ? identity_of(setup_.program) : std::nullopt;
    if (identity) known_ = setup_.versions->find(*identity);
    if (known_) return *known_;
    auto asked = ask_version(std::move(stop));
    if (!asked) return asked;
    known_ = *asked;
    if (identity) setup_.versions->keep(*identity, *asked);
    return asked;
}

base::result<version> restic_program::ask_version(std::stop_token stop)
{
    std::optional<restic::version> found;
    error_lines errors{[this](std::string_view text) { return clean(text); }};
    const auto end = run(
        {.args = version_arguments(), .environment = inherited(setup_.base_environment)}, setup_.limits,
        std::move(stop),
        [&](std::string_view line) {
            if (!found) found = parse_version(line);
        },
        [&](std::string_view line) { errors.add(line); });
    if (!end) return std::unexpected(end.error());
    if (end->exit_code != 0) return std::unexpected(judge(operation::version, std::nullopt, *end, errors.all()));
    if (!found)
        return base::fail(base::fault_code::restic_missing,
                          setup_.program.string() + " does not say which version of restic it is",
                          std::string{remedy_missing});
    if (*found < oldest_supported)
        return base::fail(base::fault_code::restic_missing,
                          "restic " + to_text(*found) + " is too old; " + to_text(oldest_supported) +
                              " is the oldest that can be used",
                          "Install a newer restic, or name one with XENTZ_RESTIC");
    return *found;
}

} // namespace xentz::restic
