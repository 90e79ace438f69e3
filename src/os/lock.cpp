#include "os/lock.hpp"

#include "os/posix_fault.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string_view>

namespace xentz::os {
namespace {

class flock_lock final : public file_lock {
public:
    explicit flock_lock(int fd) : fd_(fd) {}
    ~flock_lock() override
    {
        // So that nobody reads the name of a holder who is gone; the lock is right without it.
        [[maybe_unused]] const int cleared = held_ ? ::ftruncate(fd_, 0) : 0;
        ::close(fd_); // releases
    }
    flock_lock(const flock_lock&) = delete;
    flock_lock& operator=(const flock_lock&) = delete;

    int descriptor() const override { return fd_; }

    // 0 or the errno: EWOULDBLOCK where somebody else holds it.
    int take()
    {
        while (::flock(fd_, LOCK_EX | LOCK_NB) != 0)
            if (errno != EINTR) return errno;
        held_ = true;
        return 0;
    }

    // 0 or the errno.
    int say(std::string_view holder)
    {
        if (::ftruncate(fd_, 0) != 0) return errno;
        const auto n = ::pwrite(fd_, holder.data(), holder.size(), 0);
        if (n < 0) return errno;
        return static_cast<std::size_t>(n) == holder.size() ? 0 : ENOSPC;
    }

    std::string holder() const
    {
        std::array<char, 512> text{};
        const auto n = ::pread(fd_, text.data(), text.size(), 0);
        const std::string_view all{text.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
        return std::string{all.substr(0, all.find('\n'))};
    }

private:
    int fd_;
    bool held_ = false;
};

} // namespace

base::result<std::unique_ptr<file_lock>> try_lock(const std::filesystem::path& p, const std::string& holder)
{
    const int fd = ::open(p.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return std::unexpected(posix_fault("open", p, errno));
    auto lock = std::make_unique<flock_lock>(fd);
    const int error = lock->take();
    if (error == EWOULDBLOCK) {
        const auto other = lock->holder();
        return base::fail(base::fault_code::run_locked,
                          p.string() + " is held by " + (other.empty() ? "another process" : other),
                          "Wait until it has ended");
    }
    if (error != 0) return std::unexpected(posix_fault("lock", p, error));
    // A full disk must not keep anybody from working: the lock holds without the text too.
    if (const int unsaid = lock->say(holder + "\n"); unsaid != 0 && unsaid != ENOSPC && unsaid != EDQUOT)
        return std::unexpected(posix_fault("write", p, unsaid));
    return lock;
}

base::result<std::unique_ptr<file_lock>> wait_for_lock(const std::filesystem::path& p, const std::string& holder,
                                                       std::chrono::milliseconds longest, std::stop_token stop)
{
    constexpr auto between = std::chrono::milliseconds{250};
    const auto until = std::chrono::steady_clock::now() + longest;
    std::mutex mutex;
    std::condition_variable_any stopped;
    for (;;) {
        auto lock = try_lock(p, holder);
        if (lock || lock.error().code != base::fault_code::run_locked) return lock;
        if (std::chrono::steady_clock::now() >= until) return lock;
        std::unique_lock guard{mutex};
        stopped.wait_for(guard, stop, between, [] { return false; });
        if (stop.stop_requested())
            return base::fail(base::fault_code::interrupted, "interrupted while waiting: " + lock.error().message);
    }
}

} // namespace xentz::os
