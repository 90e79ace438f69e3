#include "progress_line.hpp"

#include "base/size_text.hpp"
#include "base/time_text.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>

namespace xentz::apps {
namespace {

constexpr int bar_width = 20;
constexpr auto to_line_start_and_clear = "\r\033[2K";

} // namespace

progress_line::progress_line() : terminal_(::isatty(STDERR_FILENO) == 1) {}

progress_line::~progress_line()
{
    if (drawn_) std::cerr << to_line_start_and_clear << std::flush;
}

void progress_line::show(const engine::progress& p)
{
    if (!terminal_) return;
    drawn_ = true;
    const auto elapsed = std::chrono::steady_clock::now() - began_;
    std::cerr << to_line_start_and_clear
              << progress_text(p, std::chrono::duration_cast<std::chrono::milliseconds>(elapsed)) << std::flush;
}

std::string progress_text(const engine::progress& p, std::chrono::milliseconds elapsed)
{
    const auto fraction = std::clamp(p.fraction, 0.0, 1.0);
    const auto filled = static_cast<int>(std::lround(fraction * bar_width));
    auto percent = std::to_string(std::lround(fraction * 100));
    percent.insert(0, percent.size() < 3 ? 3 - percent.size() : 0, ' ');
    auto text = "[" + std::string(static_cast<std::size_t>(filled), '#') +
                std::string(static_cast<std::size_t>(bar_width - filled), '-') + "] " + percent + "%  " +
                base::to_size(p.bytes_done) + " of " + base::to_size(p.bytes_total) + ", " +
                std::to_string(p.files_done) + " of " + std::to_string(p.files_total) + " files";
    const auto ms = elapsed.count();
    if (ms < 1000 || p.bytes_done == 0) return text;
    const auto per_second = static_cast<double>(p.bytes_done) * 1000.0 / static_cast<double>(ms);
    text += ", " + base::to_size(static_cast<std::uint64_t>(per_second)) + "/s";
    if (fraction > 0.01 && fraction < 1.0) {
        const auto left = static_cast<double>(ms) * (1.0 - fraction) / fraction;
        text += ", " + base::to_words(std::chrono::milliseconds{static_cast<std::int64_t>(left)}) + " left";
    }
    return text;
}

} // namespace xentz::apps
