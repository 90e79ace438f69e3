#include "os/linux/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace xentz::os {
namespace {

constexpr int first_inherited = 3;

struct pipe_ends {
    descriptor read;
    descriptor write;
};

std::expected<pipe_ends, int> make_pipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(errno);
    pipe_ends p{descriptor{ends[0]}, descriptor{ends[1]}};
    // A caller that runs without stdin, stdout or stderr gets their numbers here, and the child's dup2 would
    // overwrite one end with the other.
    if (p.write.get() < first_inherited) p.write = descriptor{::fcntl(p.write.get(), F_DUPFD_CLOEXEC, first_inherited)};
    if (!p.write) return std::unexpected(errno);
    return p;
}

// Copies above stdin, stdout and stderr, ascending.
std::expected<std::vector<descriptor>, int> copies(const std::vector<int>& numbers)
{
    std::vector<descriptor> all;
    for (const int number : numbers) {
        all.emplace_back(::fcntl(number, F_DUPFD_CLOEXEC, first_inherited));
        if (!all.back()) return std::unexpected(errno);
    }
    std::ranges::sort(all, [](const descriptor& a, const descriptor& b) { return a.get() < b.get(); });
    return all;
}

class spawn_settings {
public:
    spawn_settings(const command& c, int out, int err, const std::vector<descriptor>& inherited)
    {
        ::posix_spawn_file_actions_init(&actions_);
        if (c.input)
            ::posix_spawn_file_actions_adddup2(&actions_, *c.input, 0);
        else
            ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&actions_, out, 1);
        ::posix_spawn_file_actions_adddup2(&actions_, err, 2);
        // Ascending, so that no number is overwritten before it was copied. A copy onto itself stays open, too.
        int next = first_inherited;
        for (const auto& d : inherited) ::posix_spawn_file_actions_adddup2(&actions_, d.get(), next++);
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, next);
        ::posix_spawn_file_actions_addchdir_np(&actions_, c.directory.c_str());
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setpgroup(&attributes_, c.group.value_or(0));
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

// Of the calling thread alone: on Linux each thread has priorities of its own, and a child begins with those of the
// thread that started it. Neither can be raised again without privilege.
void lower_priorities(priority cpu, priority disk)
{
    constexpr int low_nice = 10;
    constexpr int idle_nice = 19;
    if (cpu != priority::normal) ::setpriority(PRIO_PROCESS, 0, cpu == priority::low ? low_nice : idle_nice);
    if (cpu == priority::idle) {
        const sched_param none{};
        ::sched_setscheduler(0, SCHED_IDLE, &none);
    }
    // ioprio_set(2) has no header: who = this thread; class 2 is "best effort" with levels 0 to 7, class 3 "idle".
    constexpr int this_thread = 1;
    constexpr int low_class = (2 << 13) | 7;
    constexpr int idle_class = 3 << 13;
    if (disk != priority::normal)
        ::syscall(SYS_ioprio_set, this_thread, 0, disk == priority::low ? low_class : idle_class);
}

// 0 or the errno.
int start(const command& c, const spawn_settings& settings, pid_t& process_id)
{
    std::vector<std::string> args{c.program.string()};
    args.insert(args.end(), c.args.begin(), c.args.end());
    std::vector<std::string> environment;
    environment.reserve(c.environment.size());
    for (const auto& [key, value] : c.environment) environment.push_back(key + "=" + value);
    const auto begin = [&] {
        return ::posix_spawn(&process_id, c.program.c_str(), settings.actions(), settings.attributes(),
                             pointers(args).data(), pointers(environment).data());
    };
    if (c.cpu == priority::normal && c.disk == priority::normal) return begin();
    int error = 0;
    std::thread{[&] {
        lower_priorities(c.cpu, c.disk);
        error = begin();
    }}.join();
    return error;
}

} // namespace

std::expected<started_child, int> spawn(const command& c)
{
    auto out = make_pipe();
    if (!out) return std::unexpected(out.error());
    auto err = make_pipe();
    if (!err) return std::unexpected(err.error());
    const auto inherited = copies(c.inherited);
    if (!inherited) return std::unexpected(inherited.error());
    const spawn_settings settings{c, c.output.value_or(out->write.get()), err->write.get(), *inherited};
    started_child child{.out = std::move(out->read), .err = std::move(err->read)};
    if (const int error = start(c, settings, child.process_id); error != 0) return std::unexpected(error);
    if (c.output) child.out.reset();
    child.group = c.group.value_or(child.process_id);
    return child;
}

} // namespace xentz::os
