// The system's message bus (D-Bus).
#pragma once

#include <systemd/sd-bus.h>

#include <memory>
#include <string>

namespace xentz::os {

struct bus_closer {
    void operator()(sd_bus* b) const { sd_bus_close_unref(b); }
};
using bus = std::unique_ptr<sd_bus, bus_closer>;

// Nothing where it cannot be reached. An empty address is the system's own. A call waits two seconds at most.
bus connect_to_bus(const std::string& address);

} // namespace xentz::os
