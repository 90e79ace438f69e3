// What a serving process does beside answering: at the start and once a day it says what the administrator is to be
// reminded of, and compares journal and storage; once an hour it takes samples of usage and empties what the trash has
// kept long enough.
//
// Of several processes on one database one sweeps. Nothing is purged while the machine's clock disagrees with the time
// that has passed (control/sweep_clock.hpp), while the storage is away, or what a hold keeps.
// Threads: one thread of its own, from construction to destruction. Everything handed in must outlive it.
#pragma once

#include "control/sweep_clock.hpp"
#include "reconcile.hpp"
#include "store/fleet_store.hpp"

#include <chrono>
#include <optional>
#include <thread>

namespace xentz::apps {

class housekeeping {
public:
    housekeeping(store::fleet_store& store, const reconcile_parts& parts);

private:
    void run(const std::stop_token& stop);
    void compare(const std::stop_token& stop);
    void remind();
    void sweep(const std::stop_token& stop);
    void sweep_repository(const store::repository& r, const control::sweep_time& t, const std::stop_token& stop);

    store::fleet_store& store_;
    reconcile_parts parts_;
    std::optional<control::sweep_instant> seen_;
    std::optional<std::chrono::microseconds> compared_; // by the clock that only advances
    std::optional<std::chrono::microseconds> reminded_; // likewise
    std::jthread thread_;                               // last: it uses everything above
};

} // namespace xentz::apps
