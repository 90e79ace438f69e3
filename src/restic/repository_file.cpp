#include "restic/repository_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace xentz::restic {
namespace {

std::unexpected<base::fault> failure(const std::filesystem::path& folder, int error)
{
    const auto code = error == ENOSPC || error == EDQUOT ? base::fault_code::disk_full : base::fault_code::file_failed;
    return base::fail(code,
                      "cannot write the repository's address into " + folder.string() + ": " +
                          std::generic_category().message(error),
                      "Check the folder's owner and the free space");
}

bool write_all(int file, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

} // namespace

base::result<repository_file> repository_file::make(const std::filesystem::path& folder, std::string_view address)
{
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failure(folder, errno);
    auto name = (folder / "repository-XXXXXX").string();
    const auto file = ::mkostemp(name.data(), O_CLOEXEC); // 0600
    if (file < 0) return failure(folder, errno);
    struct ::stat info{};
    const bool written = write_all(file, address) && ::fstat(file, &info) == 0;
    const auto cause = errno;
    ::close(file);
    const auto changed = std::chrono::seconds{info.st_ctim.tv_sec} + std::chrono::nanoseconds{info.st_ctim.tv_nsec};
    repository_file made{name, file_instant{changed}};
    if (!written) return failure(folder, cause);
    return made;
}

repository_file::repository_file(std::filesystem::path path, file_instant made_at)
    : path_(std::move(path)), made_at_(made_at)
{
}

repository_file::repository_file(repository_file&& other) noexcept
    : path_(std::exchange(other.path_, {})), made_at_(other.made_at_)
{
}

repository_file::~repository_file()
{
    if (!path_.empty()) ::unlink(path_.c_str());
}

} // namespace xentz::restic
