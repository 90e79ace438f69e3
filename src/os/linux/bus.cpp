#include "os/linux/bus.hpp"

#include <chrono>

namespace xentz::os {
namespace {

constexpr std::chrono::microseconds longest_question = std::chrono::seconds{2};

bus open(const std::string& address)
{
    sd_bus* raw = nullptr;
    if (address.empty()) return sd_bus_open_system(&raw) < 0 ? nullptr : bus{raw};
    if (sd_bus_new(&raw) < 0) return nullptr;
    bus b{raw};
    const bool started =
        sd_bus_set_address(raw, address.c_str()) >= 0 && sd_bus_set_bus_client(raw, 1) >= 0 && sd_bus_start(raw) >= 0;
    return started ? std::move(b) : nullptr;
}

} // namespace

bus connect_to_bus(const std::string& address)
{
    auto b = open(address);
    if (b) sd_bus_set_method_call_timeout(b.get(), static_cast<std::uint64_t>(longest_question.count()));
    return b;
}

} // namespace xentz::os
