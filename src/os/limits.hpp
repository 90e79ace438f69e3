// What the system lets this process use.
#pragma once

#include <cstdint>

namespace xentz::os {

// Lets this process have as many files and connections open at once as the system allows it (the hard limit of
// RLIMIT_NOFILE, getrlimit(2)). The number that holds from then on. It is handed on to child processes.
std::uint64_t raise_open_file_limit();

} // namespace xentz::os
