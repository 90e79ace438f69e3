// What a machine is just now, as far as the system tells: whether it runs on battery, whether its connection is paid
// for by its use. What nobody knows is answered by nothing.
// Threads: from any thread at once; a question waits two seconds at most.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace xentz::os {

class circumstances {
public:
    virtual ~circumstances() = default;
    // False where there is no battery, or any mains supply is on (sysfs-class-power of Linux).
    virtual std::optional<bool> on_battery() const = 0;
    // As NetworkManager says it, which also guesses (a telephone's hotspot); nothing where it does not run.
    virtual std::optional<bool> on_metered() const = 0;
};

// `power_supplies` is where the system tells of them; `bus_address` that of the system's bus where it is empty.
std::unique_ptr<circumstances> make_circumstances(std::filesystem::path power_supplies = "/sys/class/power_supply",
                                                  std::string bus_address = {});

} // namespace xentz::os
