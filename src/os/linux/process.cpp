// Children by posix_spawn; one poll over both pipes, a pidfd and an eventfd that the stop_token rings.
#include "os/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
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

class descriptor {
public:
    explicit descriptor(int number = -1) : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { reset(); }

    void reset()
    {
        if (number_ >= 0) ::close(std::exchange(number_, -1));
    }
    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

struct pipe_ends {
    descriptor read;
    descriptor write;
};

std::optional<pipe_ends> make_pipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    pipe_ends p{descriptor{ends[0]}, descriptor{ends[1]}};
    // A caller that runs without stdin, stdout or stderr gets their numbers here, and the child's dup2 would
    // overwrite one end with the other.
    if (p.write.get() <= 2) p.write = descriptor{::fcntl(p.write.get(), F_DUPFD_CLOEXEC, 3)};
    if (!p.write) return std::nullopt;
    return p;
}

class spawn_settings {
public:
    spawn_settings(const command& c, int out, int err)
    {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&actions_, out, 1);
        ::posix_spawn_file_actions_adddup2(&actions_, err, 2);
        ::posix_spawn_file_actions_addchdir_np(&actions_, c.directory.c_str());
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(&attributes_,
                                   POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    spawn_settings(const spawn_settings&) = delete;
    spawn_settings& operator=(const spawn_settings&) = delete;
    ~spawn_settings()
    {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    const posix_spawn_file_actions_t* actions() const { return &actions_; }
    const posix_spawnattr_t* attributes() const { return &attributes_; }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (auto& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

// 0 or the errno of the failure.
int spawn(const command& c, int out, int err, pid_t& pid)
{
    const spawn_settings settings{c, out, err};
    std::vector<std::string> args{c.program.string()};
    args.insert(args.end(), c.args.begin(), c.args.end());
    std::vector<std::string> environment;
    environment.reserve(c.environment.size());
    for (const auto& [key, value] : c.environment) environment.push_back(key + "=" + value);
    return ::posix_spawn(&pid, c.program.c_str(), settings.actions(), settings.attributes(), pointers(args).data(),
                         pointers(environment).data());
}

class line_splitter {
public:
    line_splitter(std::size_t longest, const line_sink& sink) : longest_(longest), sink_(sink) {}

    void feed(std::string_view bytes)
    {
        for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
            if (held_.empty()) {
                emit(bytes.substr(0, std::min(end, longest_)));
            } else {
                keep(bytes.substr(0, end));
                emit_held();
            }
            bytes.remove_prefix(end + 1);
        }
        keep(bytes);
    }

    void finish()
    {
        if (!held_.empty()) emit_held();
    }

private:
    void keep(std::string_view bytes) { held_.append(bytes.substr(0, longest_ - std::min(longest_, held_.size()))); }

    void emit_held()
    {
        const auto line = std::exchange(held_, {});
        emit(line);
    }

    void emit(std::string_view line) const
    {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (sink_) sink_(line);
    }

    std::size_t longest_;
    const line_sink& sink_;
    std::string held_;
};

// A started child. Destroyed before its end was taken (a callback threw), it is killed and waited for.
class child {
public:
    explicit child(pid_t pid) : pid_(pid), watch_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
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
        if (!ended_) ::kill(-pid_, signal);
    }

    void look()
    {
        siginfo_t info{};
        const auto found = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
        if (ended_ || (found == 0 && info.si_pid != pid_) || (found < 0 && errno == EINTR)) return;
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
    descriptor watch_;
    bool ended_ = false;
    int status_ = 0;
};

class supervision {
public:
    supervision(pid_t pid, descriptor out, descriptor err, const process_limits& limits, const line_sink& out_sink,
                const line_sink& err_sink)
        : child_(pid), pipes_{std::move(out), std::move(err)},
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
            child_.look();
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
        auto out_pipe = make_pipe();
        auto err_pipe = make_pipe();
        const descriptor bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (!out_pipe || !err_pipe || !bell) return cannot_start(c, errno);
        pid_t pid = -1;
        const auto error = spawn(c, out_pipe->write.get(), err_pipe->write.get(), pid);
        if (error != 0) return cannot_start(c, error);
        supervision s{pid, std::move(out_pipe->read), std::move(err_pipe->read), limits, out, err};
        out_pipe->write.reset();
        err_pipe->write.reset();
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
