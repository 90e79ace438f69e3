#include "os/guarded_pipe.hpp"

#include "os/linux/spawn.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace xentz::os {
namespace {

constexpr std::chrono::seconds longest_wait{2};
constexpr std::chrono::milliseconds between_looks{10};

std::unexpected<base::fault> no_pipe(int error)
{
    return base::fail(base::fault_code::file_failed,
                      "there is no pipe between two programs to be had: " + std::generic_category().message(error),
                      "Close other programs, or raise the limits on open files and processes");
}

// The keeper's whole life, after a fork of a process with threads: calls that are safe in a signal handler, no others.
[[noreturn]] void keep(int control, int writer)
{
    ::setpgid(0, 0);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    // Not as standard output: what this process has not printed yet might be printed at the end, into the data.
    const int last = control > writer ? control : writer;
    ::closefrom(last + 1);
    for (int d = 0; d < last; ++d)
        if (d != control && d != writer) ::close(d);
    char word = 0;
    ssize_t got = 0;
    do got = ::read(control, &word, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1) ::_exit(0);
    ::kill(0, SIGKILL); // the whole group, this process with it
    ::_exit(1);
}

descriptor above_standard(descriptor d)
{
    constexpr int first_free = 3;
    return d.get() >= first_free ? std::move(d) : descriptor{::fcntl(d.get(), F_DUPFD_CLOEXEC, first_free)};
}

class kept_pipe final : public guarded_pipe {
public:
    kept_pipe(descriptor reader, descriptor writer, descriptor control, pid_t keeper)
        : reader_(std::move(reader)), writer_(std::move(writer)), control_(std::move(control)), keeper_(keeper)
    {
    }
    kept_pipe(const kept_pipe&) = delete;
    kept_pipe& operator=(const kept_pipe&) = delete;
    ~kept_pipe() override
    {
        control_.reset(); // the keeper kills the group, where it was not told to end
        while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }

    int reader() const override { return reader_.get(); }
    int writer() const override { return writer_.get(); }
    int group() const override { return keeper_; }

    bool wait_for_data(std::chrono::milliseconds time) const override
    {
        pollfd p{reader_.get(), POLLIN, 0};
        return ::poll(&p, 1, static_cast<int>(time.count())) > 0 && (p.revents & POLLIN) != 0;
    }

    base::result<> finish() override
    {
        const char word = 1;
        // It may have been killed with the group; then there is nobody to be told.
        [[maybe_unused]] const auto sent = ::send(control_.get(), &word, 1, MSG_NOSIGNAL);
        // Not taken away yet: its group goes with it.
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(keeper_), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
        }
        writer_.reset();
        const auto until = std::chrono::steady_clock::now() + longest_wait;
        while (!is_closed()) {
            if (std::chrono::steady_clock::now() >= until)
                return base::fail(base::fault_code::conflict, "a process that it left behind keeps its output open",
                                  "Let the command wait for every process that it starts");
            std::this_thread::sleep_for(between_looks);
        }
        return {};
    }

private:
    // True where nobody can write any more.
    bool is_closed() const
    {
        pollfd p{reader_.get(), POLLIN, 0};
        return ::poll(&p, 1, 0) > 0 && (p.revents & POLLHUP) != 0;
    }

    descriptor reader_;
    descriptor writer_;
    descriptor control_;
    pid_t keeper_;
};

} // namespace

base::result<std::unique_ptr<guarded_pipe>> make_guarded_pipe()
{
    std::array<int, 2> ends{};
    std::array<int, 2> talk{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return no_pipe(errno);
    auto reader = above_standard(descriptor{ends[0]});
    auto writer = above_standard(descriptor{ends[1]});
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk.data()) != 0) return no_pipe(errno);
    auto control = above_standard(descriptor{talk[0]});
    auto keepers = above_standard(descriptor{talk[1]});
    if (!reader || !writer || !control || !keepers) return no_pipe(EMFILE);
    const pid_t keeper = ::fork();
    if (keeper < 0) return no_pipe(errno);
    if (keeper == 0) keep(keepers.get(), writer.get());
    ::setpgid(keeper, keeper); // by both, whoever comes first
    return std::make_unique<kept_pipe>(std::move(reader), std::move(writer), std::move(control), keeper);
}

} // namespace xentz::os
