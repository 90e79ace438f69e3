// Children by posix_spawn; one poll over both pipes, a pidfd and an eventfd that the stop_token rings.
#include "os/process.hpp"

#include "os/line_splitter.hpp"
#include "os/linux/spawn.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace xentz::os {
namespace {

using steady = std::chrono::steady_clock;
using base::fault_code;

// A process that left the group may hold a pipe open for ever; what the child itself wrote is read long before.
constexpr auto longest_drain = std::chrono::seconds{2};
constexpr auto longest_wait = std::chrono::hours{24 * 365};

std::string reason(int error) { return std::generic_category().message(error); }

// A started child. Destroyed before its end was taken (a callback threw), it is killed and waited for.
class child {
public:
    child(pid_t pid, pid_t group)
        : pid_(pid), group_(group), watch_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))
    {
    }
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child()
    {
        if (ended_) return;
        signal_group(SIGKILL);
        while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
        }
    }

    bool ended() const { return ended_; }
    int status() const { return status_; }
    int watch() const { return ended_ ? -1 : watch_.get(); }
    bool watched() const { return static_cast<bool>(watch_); }

    void signal_group(int signal) const
    {
        if (!ended_) ::kill(-group_, signal);
    }

    // `on_exit` is told of an exit that came by itself.
    void look(const std::function<void(int)>& on_exit)
    {
        siginfo_t info{};
        const auto found = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
        if (ended_ || (found == 0 && info.si_pid != pid_) || (found < 0 && errno == EINTR)) return;
        if (found == 0 && info.si_code == CLD_EXITED && on_exit) on_exit(info.si_status);
        // Whatever it left in its group would hold the pipes open. The zombie still reserves the group's number,
        // so that nobody else's group can be meant.
        signal_group(SIGKILL);
        // A host that ignores SIGCHLD leaves nothing to wait for: how it ended stays unknown.
        if (::waitpid(pid_, &status_, 0) != pid_) status_ = unknown_end;
        ended_ = true;
    }

private:
    static constexpr int unknown_end = 0xff00; // exit status 255
    pid_t pid_;
    pid_t group_;
    descriptor watch_;
    bool ended_ = false;
    int status_ = 0;
};

class supervision {
public:
    supervision(started_child& c, const process_limits& limits, const line_sink& out_sink, const line_sink& err_sink)
        : child_(c.process_id, c.group), pipes_{std::move(c.out), std::move(c.err)},
          lines_{line_splitter{limits.longest_line, out_sink}, line_splitter{limits.longest_line, err_sink}},
          limits_(limits), wake_(from_now(limits.longest))
    {
    }

    process_end watch(int bell)
    {
        while (!child_.ended() || pipes_[0] || pipes_[1]) {
            if (!wait(bell)) break;
        }
        for (auto& line : lines_) line.finish();
        return end();
    }

private:
    static steady::time_point from_now(std::chrono::milliseconds delay)
    {
        return steady::now() + std::min<std::chrono::milliseconds>(delay, longest_wait);
    }

    // One turn; false where nothing more is to be expected.
    bool wait(int bell)
    {
        std::array<pollfd, 4> polled{{{pipes_[0].get(), POLLIN, 0},
                                      {pipes_[1].get(), POLLIN, 0},
                                      {child_.watch(), POLLIN, 0},
                                      {asked_ || child_.ended() ? -1 : bell, POLLIN, 0}}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake_ - steady::now()).count();
        // Without a pidfd (kernels before 5.3) the child is looked at ten times a second.
        const auto longest = std::int64_t{child_.watched() ? 60'000 : 100};
        const auto ready =
            ::poll(polled.data(), polled.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, longest)));
        if (ready > 0 && polled[3].revents != 0) interrupt(process_end::how::cancelled);
        if (ready > 0) {
            for (std::size_t i = 0; i < pipes_.size(); ++i) {
                if (polled[i].revents != 0) read(i);
            }
        }
        if (!child_.ended()) {
            child_.look(asked_ ? std::function<void(int)>{} : limits_.on_exit);
            if (child_.ended()) wake_ = from_now(longest_drain);
        }
        if (steady::now() < wake_) return true;
        return run_out();
    }

    bool run_out()
    {
        if (child_.ended()) return false;
        if (!asked_) {
            interrupt(process_end::how::timed_out);
        } else {
            child_.signal_group(SIGKILL);
            wake_ = from_now(longest_wait);
        }
        return true;
    }

    void interrupt(process_end::how why)
    {
        if (asked_ || child_.ended()) return;
        asked_ = why;
        child_.signal_group(SIGINT);
        wake_ = from_now(limits_.grace);
    }

    void read(std::size_t i)
    {
        std::array<char, 64 * 1024> buffer;
        const auto got = ::read(pipes_[i].get(), buffer.data(), buffer.size());
        if (got > 0) {
            lines_[i].feed({buffer.data(), static_cast<std::size_t>(got)});
        } else if (got == 0 || errno != EINTR) {
            pipes_[i].reset();
        }
    }

    process_end end() const
    {
        process_end e;
        const auto status = child_.status();
        if (WIFEXITED(status)) e.exit_code = WEXITSTATUS(status);
        if (WIFSIGNALED(status)) {
            e.signal = WTERMSIG(status);
            e.kind = process_end::how::killed;
        }
        if (asked_) e.kind = *asked_;
        return e;
    }

    child child_;
    std::array<descriptor, 2> pipes_;
    std::array<line_splitter, 2> lines_;
    process_limits limits_;
    steady::time_point wake_;
    std::optional<process_end::how> asked_; // why the child was interrupted
};

class posix_process_runner final : public process_runner {
public:
    base::result<process_end> run(const command& c, const process_limits& limits, std::stop_token stop,
                                  const line_sink& out, const line_sink& err) override
    {
        if (stop.stop_requested()) return process_end{.kind = process_end::how::cancelled};
        const descriptor bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (!bell) return cannot_start(c, errno);
        auto started = spawn(c);
        if (!started) return cannot_start(c, started.error());
        supervision s{*started, limits, out, err};
        if (limits.on_start) limits.on_start(started->process_id);
        const std::stop_callback ring{stop, [&bell] {
                                          const std::uint64_t one = 1;
                                          // A full counter means that the bell rang already.
                                          [[maybe_unused]] const auto written = ::write(bell.get(), &one, sizeof one);
                                      }};
        return s.watch(bell.get());
    }

private:
    static std::unexpected<base::fault> cannot_start(const command& c, int error)
    {
        std::error_code ignored;
        if (!std::filesystem::is_directory(c.directory, ignored))
            return base::fail(fault_code::file_failed, "cannot start " + c.program.string() + ": there is no folder " +
                                                           c.directory.string() + " to run it in");
        return base::fail(fault_code::file_failed, "cannot start " + c.program.string() + ": " + reason(error),
                          error == ENOENT ? "Check that the program is installed" : "");
    }
};

bool is_program(const std::filesystem::path& p)
{
    std::error_code ignored;
    return std::filesystem::is_regular_file(p, ignored) && ::access(p.c_str(), X_OK) == 0;
}

} // namespace

std::unique_ptr<process_runner> make_process_runner() { return std::make_unique<posix_process_runner>(); }

base::result<std::filesystem::path> find_program(std::string_view name, std::string_view search_path)
{
    auto rest = search_path;
    while (!name.empty() && !rest.empty()) {
        const auto end = std::min(rest.find(':'), rest.size());
        const auto folder = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        // An empty or relative entry would mean the folder that happens to be the current one.
        if (!folder.starts_with('/')) continue;
        auto candidate = std::filesystem::path{folder} / name;
        if (is_program(candidate)) return candidate;
    }
    return base::fail(fault_code::not_found,
                      "there is no program " + std::string{name} + " in " + std::string{search_path},
                      "Install it, or add its folder to PATH");
}

} // namespace xentz::os
