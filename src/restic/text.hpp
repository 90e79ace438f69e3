// Lines of restic made fit to be kept and shown: no control characters, valid UTF-8, bounded, without secrets.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace xentz::restic {

// Terminal escapes and control characters are removed, bytes that are no UTF-8 become '?'.
std::string printable(std::string_view line);

// At most `most` bytes, cut between characters; "..." says that something is missing.
std::string shortened(std::string_view text, std::size_t most);

// Takes the secrets out of a text (base/redactor.hpp).
using cleaner = std::function<std::string(std::string_view)>;

// A line or a path as it may be kept: printable, redacted, at most 4096 bytes.
std::string fit(std::string_view text, const cleaner& clean);

// The password inside rest:http://user:password@host/..., as it stands there; empty where there is none.
std::string_view password_of(std::string_view address);

} // namespace xentz::restic
