// What the database remembers about copies of the control plane, and what an administrator is reminded of: to make one,
// and after a restore to look through the devices.
//
// Threads: any.
#pragma once

#include "base/clock.hpp"
#include "store/fleet_store.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace xentz::apps {

// A setting in the database: when the copy was made that was made last.
constexpr auto setting_copied_at = "copied_at";
constexpr std::chrono::days copy_is_old_after{7};
// What devices are told as long as the control plane was never restored.
constexpr auto first_epoch = "first";

std::optional<base::time_point> last_copy_at(store::fleet_store& store);
// True after a restore, until `xentz-server device confirm`.
bool is_unconfirmed(store::fleet_store& store);
std::string epoch_id(store::fleet_store& store);

// Each a sentence for the log, without a full stop.
std::vector<std::string> reminders(store::fleet_store& store, base::time_point now);

} // namespace xentz::apps
