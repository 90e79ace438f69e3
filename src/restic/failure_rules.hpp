// The table of texts by which restic's failures are told apart, and what is said of each cause.
//
// Threads: pure functions.
#pragma once

#include "base/fault.hpp"
#include "restic/failure.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace xentz::restic {

// What the lines say for certain; lines of tries that restic repeated count only where `repeated` is set.
std::optional<finding> find_cause(operation op, const std::deque<std::string>& lines, bool repeated);

struct explanation {
    std::string_view cause; // "the repository is damaged"
    std::string_view remedy;
};
explanation explain(base::fault_code code);

} // namespace xentz::restic
