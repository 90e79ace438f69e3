#include "os/service.hpp"

#include "os/posix_fault.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>

namespace xentz::os {

void notify_ready() { (void)::sd_notify(0, "READY=1"); }

void notify_stopping() { (void)::sd_notify(0, "STOPPING=1"); }

base::result<> become_owner_of(const std::filesystem::path& path)
{
    struct ::stat info{};
    if (::geteuid() != 0 || ::stat(path.c_str(), &info) != 0 || info.st_uid == 0) return {};
    const auto* entry = ::getpwuid(info.st_uid);
    if (entry == nullptr)
        return base::fail(base::fault_code::config_invalid,
                          path.string() + " belongs to user " + std::to_string(info.st_uid) + ", who is not known here",
                          "Give it to the user that the server runs as, with chown -R");
    if (::initgroups(entry->pw_name, entry->pw_gid) != 0 || ::setgid(entry->pw_gid) != 0 ||
        ::setuid(entry->pw_uid) != 0)
        return std::unexpected(posix_fault("become the owner of", path, errno));
    return {};
}

} // namespace xentz::os
