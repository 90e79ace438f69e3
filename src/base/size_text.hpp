// Byte counts for people: "1.5 GiB", "300 B" (binary units, as restic prints them).
#pragma once

#include <cstdint>
#include <string>

namespace xentz::base {

std::string to_size(std::uint64_t bytes);

} // namespace xentz::base
