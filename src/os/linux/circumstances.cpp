#include "os/circumstances.hpp"

#include "os/linux/bus.hpp"

#include <fstream>

namespace xentz::os {
namespace {

// The first word of a file of the kernel; empty where there is none.
std::string word_of(const std::filesystem::path& p)
{
    std::string word;
    std::ifstream{p} >> word;
    return word;
}

// NMMetered of NetworkManager: 1 yes, 2 no, 3 and 4 the same as a guess, 0 unknown.
std::optional<bool> as_metered(std::uint32_t value)
{
    if (value == 1 || value == 3) return true;
    if (value == 2 || value == 4) return false;
    return std::nullopt;
}

class linux_circumstances final : public circumstances {
public:
    linux_circumstances(std::filesystem::path power_supplies, std::string bus_address)
        : power_supplies_(std::move(power_supplies)), bus_address_(std::move(bus_address))
    {
    }

    std::optional<bool> on_battery() const override
    {
        std::error_code failed;
        bool discharging = false;
        std::filesystem::directory_iterator at{power_supplies_, failed};
        for (; !failed && at != std::filesystem::directory_iterator{}; at.increment(failed)) {
            const auto& supply = at->path();
            const auto type = word_of(supply / "type");
            // A mouse has a battery, too; that is of scope Device.
            if (type == "Battery" && word_of(supply / "scope") != "Device")
                discharging = discharging || word_of(supply / "status") == "Discharging";
            else if (type != "Battery" && word_of(supply / "online") == "1")
                return false;
        }
        if (failed) return std::nullopt;
        return discharging;
    }

    std::optional<bool> on_metered() const override
    {
        const auto b = connect_to_bus(bus_address_);
        if (!b) return std::nullopt;
        std::uint32_t value = 0;
        const int asked =
            sd_bus_get_property_trivial(b.get(), "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager",
                                        "org.freedesktop.NetworkManager", "Metered", nullptr, 'u', &value);
        return asked < 0 ? std::nullopt : as_metered(value);
    }

private:
    std::filesystem::path power_supplies_;
    std::string bus_address_;
};

} // namespace

std::unique_ptr<circumstances> make_circumstances(std::filesystem::path power_supplies, std::string bus_address)
{
    return std::make_unique<linux_circumstances>(std::move(power_supplies), std::move(bus_address));
}

} // namespace xentz::os
