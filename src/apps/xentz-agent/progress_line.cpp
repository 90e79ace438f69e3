#include "progress_line.hpp"

#include "os/terminal.hpp"
#include "progress_text.hpp"

#include <iostream>

namespace xentz::apps {
namespace {

constexpr auto to_line_start_and_clear = "\r\033[2K";
constexpr std::chrono::seconds between_lines{30};
// restic counts while it already works, and tells its progress once in a second: totals that stand still for that long
// are all of it. By then the speed says something as well.
constexpr std::chrono::seconds totals_settle{5};

} // namespace

progress_line::progress_line(progress_options o, base::logger& log)
    : options_(o), log_(log), terminal_(os::is_terminal(os::output::error)),
      coloured_(os::wants_colour(os::output::error))
{
}

progress_line::~progress_line() { clear(); }

void progress_line::clear()
{
    if (drawn_) std::cerr << to_line_start_and_clear << std::flush;
    drawn_ = false;
}

void progress_line::show(const engine::progress& p)
{
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_);
    rate_.note(elapsed, p.bytes_done);
    estimate(p, elapsed);
    if (terminal_) {
        // The last column stays free: some terminals break the line as soon as it is written to.
        const auto width = os::terminal_width(os::output::error) - 1;
        std::cerr << to_line_start_and_clear << progress_bar(p, {rate_.per_second(), width, coloured_}) << std::flush;
        drawn_ = true;
    } else if (options_.verbose && elapsed - last_line_ >= between_lines) {
        last_line_ = elapsed;
        std::cerr << "xentz-agent: " << progress_sentence(p, rate_.per_second()) << "\n" << std::flush;
    }
}

void progress_line::estimate(const engine::progress& p, std::chrono::milliseconds elapsed)
{
    if (p.bytes_total != totals_.bytes) totals_ = {p.bytes_total, elapsed};
    if (!options_.estimate || p.bytes_total == 0 || elapsed - totals_.since < totals_settle) return;
    options_.estimate = false;
    const auto text = "the first backup: " + estimate_sentence(p, rate_.per_second());
    log_.info(text);
    if (!terminal_) return;
    clear();
    std::cerr << "xentz-agent: " << text << "\n";
}

} // namespace xentz::apps
