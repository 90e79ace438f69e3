#include "os/inspection.hpp"

#include "os/posix_fault.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

namespace xentz::os {

base::result<std::uint64_t> free_bytes(const std::filesystem::path& folder)
{
    struct statvfs disk = {};
    if (::statvfs(folder.c_str(), &disk) != 0) return std::unexpected(posix_fault("look at", folder, errno));
    return std::uint64_t{disk.f_bavail} * std::uint64_t{disk.f_frsize};
}

readability may_read(const std::filesystem::path& p)
{
    struct stat info = {};
    if (::stat(p.c_str(), &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? readability::missing : readability::denied;
    const int wanted = S_ISDIR(info.st_mode) ? R_OK | X_OK : R_OK;
    return ::faccessat(AT_FDCWD, p.c_str(), wanted, AT_EACCESS) == 0 ? readability::readable : readability::denied;
}

bool owned_by_this_user(const std::filesystem::path& p)
{
    struct stat info = {};
    return ::stat(p.c_str(), &info) == 0 && info.st_uid == ::geteuid();
}

} // namespace xentz::os
