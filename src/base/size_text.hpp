// Figures for people: "1.5 GiB", "300 B" (binary units, as restic prints them).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace xentz::base {

std::string to_size(std::uint64_t bytes);

// "1 snapshot", "3 snapshots".
std::string counted(std::uint64_t n, std::string_view thing);

} // namespace xentz::base
