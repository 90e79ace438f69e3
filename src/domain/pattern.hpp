// restic's exclude patterns, as far as the house has to understand them (restic's manual, "Excluding Files"): "*", "?"
// and "[...]" stand for other characters, a backslash takes a character literally, and what matches a folder takes
// away everything below it.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace xentz::domain {

// The pattern that stands for this path alone.
std::string literal_pattern(std::string_view path);

// True where the pattern takes away the whole of `path`. Only patterns that begin with "/" and hold no wildcard are
// understood; of every other one the answer is no.
bool takes_away(std::string_view pattern, std::string_view path);

// True where `path` is `folder` or lies below it; both absolute.
bool lies_in(std::string_view path, std::string_view folder);

} // namespace xentz::domain
