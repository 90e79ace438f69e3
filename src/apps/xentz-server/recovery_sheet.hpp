// The page for the safe: the master key on paper.
#pragma once

#include "base/clock.hpp"
#include "crypto/secrets.hpp"

#include <string>

namespace xentz::apps {

std::string recovery_sheet(const crypto::master_key& key, base::time_point now);

} // namespace xentz::apps
