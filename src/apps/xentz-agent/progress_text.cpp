#include "progress_text.hpp"

#include "base/size_text.hpp"
#include "base/time_text.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace xentz::apps {
namespace {

constexpr std::size_t bar_width = 20;
constexpr double no_longer_worth_saying = 1000.0 * 24 * 3600; // seconds

std::string percent_text(const engine::progress& p)
{
    return std::to_string(std::lround(std::clamp(p.fraction, 0.0, 1.0) * 100)) + "%";
}

std::string words(double seconds)
{
    return base::to_words(std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000.0)});
}

// What is left by the speed of now; nothing where that says nothing.
std::optional<std::string> time_left(const engine::progress& p, std::optional<double> bytes_per_second)
{
    if (!bytes_per_second || *bytes_per_second < 1.0 || p.bytes_total <= p.bytes_done) return std::nullopt;
    const auto seconds = static_cast<double>(p.bytes_total - p.bytes_done) / *bytes_per_second;
    if (seconds > no_longer_worth_saying) return std::nullopt;
    return words(seconds) + " left";
}

std::string speed(double bytes_per_second)
{
    return base::to_size(static_cast<std::uint64_t>(std::max(0.0, bytes_per_second))) + "/s";
}

std::vector<std::string> parts_of(const engine::progress& p, std::optional<double> bytes_per_second)
{
    std::vector<std::string> parts{base::to_size(p.bytes_done) + " of " + base::to_size(p.bytes_total),
                                   std::to_string(p.files_done) + " of " + std::to_string(p.files_total) + " files"};
    if (bytes_per_second) parts.push_back(speed(*bytes_per_second));
    if (auto left = time_left(p, bytes_per_second)) parts.push_back(std::move(*left));
    return parts;
}

} // namespace

std::string progress_bar(const engine::progress& p, const progress_view& v)
{
    const auto fraction = std::clamp(p.fraction, 0.0, 1.0);
    const auto filled = static_cast<std::size_t>(std::lround(fraction * static_cast<double>(bar_width)));
    auto percent = percent_text(p);
    percent.insert(0, percent.size() < 4 ? 4 - percent.size() : 0, ' ');
    auto text = "[" + std::string(filled, '#') + std::string(bar_width - filled, '-') + "] " + percent;
    // A terminal that is narrower than the bar gets the figure alone.
    if (text.size() > v.width) return percent_text(p).substr(0, v.width);
    bool first = true;
    for (const auto& part : parts_of(p, v.bytes_per_second)) {
        const auto joined = (first ? "  " : ", ") + part;
        if (text.size() + joined.size() > v.width) break;
        text += joined;
        first = false;
    }
    if (v.coloured) text = "[\033[32m" + text.substr(1, filled) + "\033[0m" + text.substr(1 + filled);
    return text;
}

std::string progress_sentence(const engine::progress& p, std::optional<double> bytes_per_second)
{
    auto text = percent_text(p);
    for (const auto& part : parts_of(p, bytes_per_second)) text += ", " + part;
    return text;
}

std::string estimate_sentence(const engine::progress& p, std::optional<double> bytes_per_second)
{
    auto text = "about " + base::counted(p.files_total, "file") + ", " + base::to_size(p.bytes_total);
    if (!bytes_per_second || *bytes_per_second < 1.0) return text;
    return text + "; at " + speed(*bytes_per_second) + " about " +
           words(static_cast<double>(p.bytes_total) / *bytes_per_second);
}

} // namespace xentz::apps
