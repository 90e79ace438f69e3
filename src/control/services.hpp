// What every part of the control plane works with, built once by the program and handed in.
// Threads: everything referred to may be used from any thread at once.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "crypto/secrets.hpp"
#include "store/fleet_store.hpp"

#include <string>

namespace xentz::control {

struct services {
    store::fleet_store& store;
    const crypto::master_key& key;
    const base::clock& clock;
    base::random_source& random;
    base::logger& log;
    std::string public_url; // as devices reach it, with the URL prefix, without a slash at the end
    std::string epoch = {}; // what devices are told (wire::epoch_header); another one after each restore
};

} // namespace xentz::control
