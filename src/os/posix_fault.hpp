// errno as a fault: the code by its cause, "cannot VERB PATH: CAUSE", and what to do about it where that is known.
// For the sources of os/ that call POSIX themselves. Threads: a pure function.
#pragma once

#include "base/fault.hpp"

#include <filesystem>
#include <string_view>

namespace xentz::os {

base::fault posix_fault(std::string_view verb, const std::filesystem::path& p, int error);

} // namespace xentz::os
