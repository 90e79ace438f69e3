#include "base/size_text.hpp"

#include <array>
#include <cstdio>

namespace xentz::base {

std::string to_size(std::uint64_t bytes)
{
    constexpr auto units = std::to_array<const char*>({"KiB", "MiB", "GiB", "TiB", "PiB"});
    if (bytes < 1024) return std::to_string(bytes) + " B";
    auto value = static_cast<double>(bytes) / 1024.0;
    std::size_t unit = 0;
    while (value >= 1024.0 && unit + 1 < units.size()) {
        value /= 1024.0;
        ++unit;
    }
    std::array<char, 32> text{};
    const int n = std::snprintf(text.data(), text.size(), "%.1f %s", value, units.at(unit));
    return {text.data(), static_cast<std::size_t>(n)};
}

std::string counted(std::uint64_t n, std::string_view thing)
{
    return std::to_string(n) + " " + std::string{thing} + (n == 1 ? "" : "s");
}

} // namespace xentz::base
