// The file that RESTIC_REPOSITORY_FILE names: it holds the address with its password, so that neither is seen on a
// command line or in an environment (restic before 0.16.1 takes credentials only in the address). 0600, in a
// folder 0700 that is made where it is missing (not its parents); removed with the object.
//
// Threads: one thread at a time. Errors: file_failed, disk_full; the message holds no address.
#pragma once

#include "base/fault.hpp"

#include <chrono>
#include <filesystem>
#include <string_view>

namespace xentz::restic {

// The kernel's time of a file, as it stands in its inode.
using file_instant = std::chrono::sys_time<std::chrono::nanoseconds>;

class repository_file {
public:
    static base::result<repository_file> make(const std::filesystem::path& folder, std::string_view address);

    repository_file(repository_file&& other) noexcept;
    repository_file& operator=(repository_file&&) = delete;
    repository_file(const repository_file&) = delete;
    repository_file& operator=(const repository_file&) = delete;
    ~repository_file();

    const std::filesystem::path& path() const { return path_; }
    // What restic writes afterwards has a later or equal time of change.
    file_instant made_at() const { return made_at_; }

private:
    repository_file(std::filesystem::path path, file_instant made_at);

    std::filesystem::path path_;
    file_instant made_at_;
};

} // namespace xentz::restic
