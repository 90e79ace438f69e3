// One holder at a time, across processes: an advisory lock on a file (flock), released by the kernel when the
// holder ends, however it ends. The file says who holds it.
#pragma once

#include "base/fault.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

namespace xentz::os {

class file_lock {
public:
    virtual ~file_lock() = default; // releases, where no child inherited the descriptor and lives on
    // What a child inherits to hold the lock as long as it lives.
    virtual int descriptor() const = 0;
};

// `holder` is what others read while it is held, for example "backup, process 4711, since 2026-11-23T02:00:00Z".
// fault_code::run_locked, with the holder's line in the message, where somebody else has it.
base::result<std::unique_ptr<file_lock>> try_lock(const std::filesystem::path& p, const std::string& holder);

// The same, waiting until it is free. run_locked after `longest`, interrupted where a stop is requested.
base::result<std::unique_ptr<file_lock>> wait_for_lock(const std::filesystem::path& p, const std::string& holder,
                                                       std::chrono::milliseconds longest, std::stop_token stop);

} // namespace xentz::os
