// The passwords of repositories that the server keeps for their devices, in the way that the custody says
// (docs/custody.md). A database that fails, or a master key that does not open what lies in it, throws.
#pragma once

#include "control/services.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace xentz::control {

constexpr std::string_view custody_server = "server";
constexpr std::string_view custody_sealed = "sealed";
constexpr std::string_view custody_device = "device";

// Those that this server can open, the newest first; none where it keeps none.
std::vector<std::string> kept_passwords(services& s, const store::repository& r);

// Those that only the tenant can open, as they were handed over, the newest first.
std::vector<std::string> sealed_passwords(services& s, const store::repository& r);

} // namespace xentz::control
