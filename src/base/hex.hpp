// Bytes as lower-case hexadecimal text and back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::base {

std::string to_hex(std::span<const std::uint8_t> bytes);

// Lower case only, even length; nothing otherwise.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

// True for exactly 64 lower-case hex digits: the name of an object in a restic repository.
bool is_sha256_hex(std::string_view text);

} // namespace xentz::base
