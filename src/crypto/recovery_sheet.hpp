// A secret of 64 hex digits on paper, as the master key or the password of a repository is: four numbered lines of
// sixteen digits, each with four more that tell a mistyped line.
//
//     1:  3f0a 91bc 5d27 e840   77c1
//
// The four are the first of SHA-256("recovery-sheet\n<number of the line>\n<its sixteen digits>").
// Threads: pure functions.
#pragma once

#include "base/fault.hpp"
#include "crypto/secrets.hpp"

#include <string>
#include <string_view>

namespace xentz::crypto {

// The four lines, each with a line break. `digits`: 64 of them.
std::string recovery_lines(std::string_view digits);
std::string recovery_lines(const master_key& key);

// The key of a sheet that was typed or scanned: other lines and the width of blanks do not matter, capitals are as good
// as small letters, and O, I and l are taken for the digits that they look like. The 64 digits of master.key alone do,
// too. invalid_value names the line that is wrong or missing.
base::result<master_key> read_recovery_sheet(std::string_view text);
// The same for any secret: its 64 digits.
base::result<std::string> read_recovery_digits(std::string_view text);

} // namespace xentz::crypto
