#include "os/system.hpp"

#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
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

} // namespace

std::unique_ptr<base::clock> make_clock() { return std::make_unique<system_clock>(); }

std::unique_ptr<base::random_source> make_random() { return std::make_unique<system_random>(); }

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
