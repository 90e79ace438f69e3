// A file without a name, for bytes that wait to be sent on: it goes with its last descriptor, so neither a kill nor a
// power cut leaves it behind.
//
// Errors: those of os/files.hpp. Threads: as os::file.
#pragma once

#include "os/files.hpp"

#include <memory>

namespace xentz::os {

// Empty, for writing and reading, on the file system of `folder`. Nobody needs `sync`.
result<std::unique_ptr<file>> make_spool_file(const path& folder);

} // namespace xentz::os
