#include "os/system.hpp"

#include <pwd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <fstream>
#include <sstream>
#include <system_error>

namespace xentz::os {
namespace {

class system_clock final : public base::clock {
public:
    base::time_point now() const override
    {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    std::chrono::microseconds elapsed() const override
    {
        return std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::steady_clock::now().time_since_epoch());
    }
};

class system_random final : public base::random_source {
public:
    void fill(std::span<std::uint8_t> out) override
    {
        while (!out.empty()) {
            const auto n = ::getrandom(out.data(), out.size(), 0);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
            out = out.subspan(static_cast<std::size_t>(n));
        }
    }
};

// proc(5), pid_namespaces(7).
class proc_table final : public process_table {
public:
    explicit proc_table(const base::clock& clock) : clock_(clock) {}

    bool sees_all() const override
    {
        // The number that the kernel gives to the first namespace (PROC_PID_INIT_INO).
        constexpr ino_t first_namespace = 0xEFFFFFFC;
        struct ::stat own{};
        return ::stat("/proc/self/ns/pid", &own) == 0 && own.st_ino == first_namespace;
    }

    std::optional<base::time_point> started_at(std::int64_t process_id) const override
    {
        std::ifstream file{"/proc/" + std::to_string(process_id) + "/stat"};
        std::string text;
        if (!std::getline(file, text)) return std::nullopt;
        // The second field is the program's name in parentheses, and may hold blanks and parentheses itself.
        const auto name_end = text.rfind(')');
        if (name_end == std::string::npos) return std::nullopt;
        std::istringstream fields{text.substr(name_end + 1)};
        std::string skipped;
        constexpr int fields_between = 19; // the 22nd field is the start, in ticks since the machine was started
        for (int i = 0; i < fields_between; ++i) fields >> skipped;
        std::uint64_t ticks = 0;
        if (!(fields >> ticks)) return std::nullopt;
        timespec up{};
        const auto per_second = ::sysconf(_SC_CLK_TCK);
        if (::clock_gettime(CLOCK_BOOTTIME, &up) != 0 || per_second <= 0) return std::nullopt;
        const auto age =
            std::chrono::seconds{up.tv_sec} - std::chrono::seconds{static_cast<std::int64_t>(ticks) / per_second};
        return clock_.now() - age;
    }

private:
    const base::clock& clock_;
};

} // namespace

std::unique_ptr<process_table> make_process_table(const base::clock& clock)
{
    return std::make_unique<proc_table>(clock);
}

std::string machine_id()
{
    std::ifstream file{"/etc/machine-id"};
    std::string id;
    std::getline(file, id);
    return id;
}

std::unique_ptr<base::clock> make_clock() { return std::make_unique<system_clock>(); }

std::unique_ptr<base::random_source> make_random() { return std::make_unique<system_random>(); }

std::filesystem::path program_path() { return std::filesystem::read_symlink("/proc/self/exe"); }

std::uint32_t user_id() { return ::geteuid(); }

std::filesystem::path account_home()
{
    const auto* entry = ::getpwuid(::geteuid());
    return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : "";
}

std::string user_name()
{
    const auto* entry = ::getpwuid(::geteuid());
    return entry != nullptr && entry->pw_name != nullptr ? entry->pw_name : std::to_string(::geteuid());
}

std::string host_name()
{
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    return name.data();
}

std::string os_name() { return "linux"; }

std::string architecture()
{
    utsname names{};
    if (::uname(&names) != 0) return "unknown";
    std::string machine = static_cast<const char*>(names.machine);
    if (machine == "x86_64") return "amd64";
    if (machine == "aarch64") return "arm64";
    return machine;
}

} // namespace xentz::os
