#include "os/files.hpp"
#include "os/posix_fault.hpp"
#include "os/spool.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace xentz::os {
namespace {

using base::fault_code;

fault_code code_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return fault_code::not_found;
    case EEXIST:
        return fault_code::conflict;
    case ENOSPC:
    case EDQUOT:
        return fault_code::disk_full;
    default:
        return fault_code::file_failed;
    }
}

std::string_view remedy_of(int error)
{
    switch (error) {
    case ENOSPC:
        return "Free some space on the disk that holds it";
    case EDQUOT:
        return "Free some space or raise the disk quota of this user";
    case EACCES:
    case EPERM:
        return "Check who owns it and who may read and write it";
    case EROFS:
        return "Check the disk's health and mount it for writing";
    case EIO:
        return "Check the disk's health and its cabling in the kernel's log";
    case EMFILE:
    case ENFILE:
        return "Raise the limit of open files";
    default:
        return {};
    }
}

std::unexpected<base::fault> failure(std::string_view verb, const path& p)
{
    return std::unexpected(posix_fault(verb, p, errno));
}

// Calls again what a signal interrupted.
template <class Call>
auto uninterrupted(Call call)
{
    auto r = call();
    while (r < 0 && errno == EINTR) r = call();
    return r;
}

// Closes on destruction. close() is not called again after EINTR: on Linux the descriptor is gone by then.
class descriptor {
public:
    explicit descriptor(int fd) : fd_(fd) {}
    ~descriptor()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    descriptor& operator=(descriptor&&) = delete;

    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }

private:
    int fd_;
};

descriptor open_descriptor(const path& p, int flags)
{
    return descriptor{uninterrupted([&] { return ::open(p.c_str(), flags | O_CLOEXEC, 0600); })};
}

file_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode)) return file_kind::regular;
    if (S_ISDIR(mode)) return file_kind::directory;
    if (S_ISLNK(mode)) return file_kind::symlink;
    return file_kind::other;
}

// sendfile has no flag against the signal that a socket without a reader raises, which would end the process.
class without_broken_pipe_signal {
public:
    without_broken_pipe_signal()
    {
        ::sigemptyset(&only_);
        ::sigaddset(&only_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
    }
    ~without_broken_pipe_signal()
    {
        const timespec at_once{};
        const int error = errno;
        while (::sigtimedwait(&only_, nullptr, &at_once) > 0) {
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = error;
    }
    without_broken_pipe_signal(const without_broken_pipe_signal&) = delete;
    without_broken_pipe_signal& operator=(const without_broken_pipe_signal&) = delete;

private:
    sigset_t only_{};
    sigset_t before_{};
};

// An upload cost 1.7 times as much by calls of 256 KiB where a virtual machine's free memory was not used lately
// (docs/benchmarks.md, which says what we take to be the reason).
constexpr std::size_t write_step = std::size_t{32} << 10U;

class posix_file final : public file {
public:
    posix_file(descriptor fd, path p) : fd_(std::move(fd)), path_(std::move(p)) {}

    result<std::optional<std::size_t>> send_to(int socket, std::uint64_t offset, std::uint64_t most) override
    {
        auto at = static_cast<off_t>(offset);
        const without_broken_pipe_signal quiet;
        const auto sent = uninterrupted([&] { return ::sendfile(socket, fd_.get(), &at, most); });
        if (sent >= 0) return static_cast<std::size_t>(sent);
        if (errno == EAGAIN || errno == EPIPE || errno == ECONNRESET) return std::size_t{0};
        return failure("send", path_);
    }

    result<> write(std::span<const char> bytes) override
    {
        while (!bytes.empty()) {
            const auto step = std::min(bytes.size(), write_step);
            const auto n = uninterrupted([&] { return ::write(fd_.get(), bytes.data(), step); });
            if (n < 0) return failure("write", path_);
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
        return {};
    }

    result<std::size_t> read(std::uint64_t offset, std::span<char> out) override
    {
        const auto at = static_cast<off_t>(offset);
        const auto n = uninterrupted([&] { return ::pread(fd_.get(), out.data(), out.size(), at); });
        if (n < 0) return failure("read", path_);
        return static_cast<std::size_t>(n);
    }

    result<> sync() override
    {
        // Never tried again after an error: the kernel may have dropped the bytes and would then report success.
        if (uninterrupted([&] { return ::fsync(fd_.get()); }) < 0) return failure("save", path_);
        return {};
    }

    result<std::uint64_t> size() override
    {
        struct stat s{};
        if (::fstat(fd_.get(), &s) < 0) return failure("look at", path_);
        return static_cast<std::uint64_t>(s.st_size);
    }

private:
    descriptor fd_;
    path path_;
};

base::time_point instant(const struct timespec& t)
{
    return base::time_point{std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_nsec / 1000}};
}

file_info info_of(const struct stat& s)
{
    file_info out;
    out.kind = kind_of(s.st_mode);
    out.bytes = static_cast<std::uint64_t>(s.st_size);
    out.modified = instant(s.st_mtim);
    out.changed = instant(s.st_ctim);
    out.mode = s.st_mode & 07777U;
    out.owner = s.st_uid;
    out.device = s.st_dev;
    out.inode = s.st_ino;
    return out;
}

class posix_directory final : public directory_reader {
public:
    posix_directory(DIR* stream, path p) : stream_(stream), path_(std::move(p)) {}

    result<std::optional<directory_entry>> next() override
    {
        for (;;) {
            errno = 0;
            // Safe here: glibc's readdir shares nothing between streams, and this stream has one user.
            const auto* entry = ::readdir(stream_.get());
            if (entry == nullptr && errno != 0) return failure("list", path_);
            if (entry == nullptr) return std::nullopt;
            const std::string_view name = static_cast<const char*>(entry->d_name);
            if (name == "." || name == "..") continue;
            if (const auto kind = kind_of_entry(*entry)) return directory_entry{std::string{name}, *kind};
        }
    }

    result<file_info> info(const std::string& name) override
    {
        struct stat s{};
        if (::fstatat(::dirfd(stream_.get()), name.c_str(), &s, AT_SYMLINK_NOFOLLOW) < 0)
            return failure("look at", path_ / name);
        return info_of(s);
    }

private:
    struct closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };

    // Nothing where the entry went away meanwhile.
    std::optional<file_kind> kind_of_entry(const dirent& entry) const
    {
        if (entry.d_type != DT_UNKNOWN) return kind_of(static_cast<mode_t>(DTTOIF(entry.d_type)));
        struct stat s{};
        const auto* name = static_cast<const char*>(entry.d_name);
        if (::fstatat(::dirfd(stream_.get()), name, &s, AT_SYMLINK_NOFOLLOW) == 0) return kind_of(s.st_mode);
        if (errno == ENOENT) return std::nullopt;
        return file_kind::other;
    }

    std::unique_ptr<DIR, closer> stream_;
    path path_;
};

class posix_files final : public files {
public:
    result<std::unique_ptr<file>> create(const path& p) override
    {
        auto fd = open_descriptor(p, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
        if (!fd) return failure("create", p);
        return std::make_unique<posix_file>(std::move(fd), p);
    }

    result<std::unique_ptr<file>> open(const path& p) override
    {
        auto fd = open_descriptor(p, O_RDONLY);
        if (!fd) return failure("open", p);
        struct stat s{};
        if (::fstat(fd.get(), &s) < 0) return failure("look at", p);
        if (S_ISDIR(s.st_mode)) return std::unexpected(posix_fault("open", p, EISDIR));
        return std::make_unique<posix_file>(std::move(fd), p);
    }

    result<> rename(const path& from, const path& to) override
    {
        if (::rename(from.c_str(), to.c_str()) < 0) return failure("rename to", to);
        return {};
    }

    result<> remove(const path& p) override
    {
        if (std::remove(p.c_str()) != 0) return failure("remove", p);
        return {};
    }

    result<> sync_directory(const path& p) override
    {
        const auto fd = open_descriptor(p, O_RDONLY | O_DIRECTORY);
        if (!fd) return failure("open", p);
        if (uninterrupted([&] { return ::fsync(fd.get()); }) < 0) return failure("save the folder", p);
        return {};
    }

    result<> create_directory(const path& p) override
    {
        if (::mkdir(p.c_str(), 0700) < 0) return failure("create the folder", p);
        return {};
    }

    result<file_info> info(const path& p) override
    {
        struct stat s{};
        if (::lstat(p.c_str(), &s) < 0) return failure("look at", p);
        return info_of(s);
    }

    result<std::unique_ptr<directory_reader>> open_directory(const path& p) override
    {
        DIR* stream = ::opendir(p.c_str()); // close-on-exec by itself
        if (stream == nullptr) return failure("list", p);
        return std::make_unique<posix_directory>(stream, p);
    }
};

} // namespace

base::fault posix_fault(std::string_view verb, const path& p, int error)
{
    auto message = "cannot " + std::string{verb} + " " + p.string() + ": " + std::generic_category().message(error);
    return base::fault{code_of(error), std::move(message), std::string{remedy_of(error)}};
}

result<std::unique_ptr<file>> make_spool_file(const path& folder)
{
    auto fd = open_descriptor(folder, O_RDWR | O_TMPFILE);
    if (fd || (errno != EOPNOTSUPP && errno != EISDIR)) {
        if (!fd) return failure("create a file in", folder);
        return std::make_unique<posix_file>(std::move(fd), folder);
    }
    // File systems over a network have no files without a name.
    auto name = (folder / "spool-XXXXXX").string();
    descriptor named{::mkostemp(name.data(), O_CLOEXEC)};
    if (!named) return failure("create a file in", folder);
    if (::unlink(name.c_str()) < 0) return failure("remove", name);
    return std::make_unique<posix_file>(std::move(named), folder);
}

std::unique_ptr<files> make_files() { return std::make_unique<posix_files>(); }

} // namespace xentz::os
