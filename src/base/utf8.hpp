// Text from outside as UTF-8 (RFC 3629), the only text that JSON and the database take.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace xentz::base {

bool is_utf8(std::string_view text);

// Each byte that belongs to no character becomes '?'.
std::string to_utf8(std::string_view text);

// At most `most` bytes of the text, cut between characters.
std::string_view cut_utf8(std::string_view text, std::size_t most);

} // namespace xentz::base
