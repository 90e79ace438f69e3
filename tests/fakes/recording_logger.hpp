// A logger that keeps what it was told.
// Threads: one thread at a time.
#pragma once

#include "base/log.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace xentz::fakes {

class recording_logger final : public base::logger {
public:
    struct line {
        base::log_level level;
        std::string text;
    };
    std::vector<line> lines;

    void write(base::log_level level, std::string_view message) override
    {
        lines.push_back({level, std::string{message}});
    }

    // True where a line of that level contains `part`.
    bool said(base::log_level level, std::string_view part) const
    {
        return std::ranges::any_of(
            lines, [&](const line& l) { return l.level == level && l.text.find(part) != std::string::npos; });
    }
    bool warned(std::string_view part) const { return said(base::log_level::warning, part); }

    std::string text() const
    {
        std::string all;
        for (const auto& l : lines) all += l.text + "\n";
        return all;
    }
};

} // namespace xentz::fakes
