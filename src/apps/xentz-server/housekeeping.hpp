// What a serving process does beside answering: at the start and once a day it says what the administrator is to be
// reminded of, and compares journal and storage; once an hour it takes samples of usage and empties what the trash has
// kept long enough.
//
// Of several processes on one database one compares at a time, and one sweeps. Nothing is purged while the machine's
// clock disagrees with the time that has passed (control/sweep_clock.hpp), while the storage is away, or what a hold
// keeps. Threads: one thread of its own, from construction to destruction. Everything handed in must outlive it.
#pragma once

#include "control/sweep_clock.hpp"
#include "reconcile.hpp"
#include "storages.hpp"
#include "store/fleet_store.hpp"

#include <chrono>
#include <optional>
#include <thread>

namespace xentz::apps {

struct housekeeping_parts {
    store::fleet_store& store;
    storages& places;
    repo::storage& blobs; // all of them
    store::object_journal objects;
    const base::clock& clock;
    base::logger& log;
};

class housekeeping {
public:
    explicit housekeeping(const housekeeping_parts& parts);

private:
    void run(const std::stop_token& stop);
    void compare(const std::stop_token& stop);
    // False where the storage is away.
    bool compare_repository(const domain::repository_id& id, const std::stop_token& stop);
    void remind();
    void sweep(const std::stop_token& stop);
    void sweep_repository(const store::repository& r, const control::sweep_time& t, const std::stop_token& stop);

    housekeeping_parts parts_;
    base::time_point began_; // or when it last compared
    std::optional<control::sweep_instant> seen_;
    std::optional<std::chrono::microseconds> compared_; // by the clock that only advances
    std::optional<std::chrono::microseconds> reminded_; // likewise
    std::jthread thread_;                               // last: it uses everything above
};

} // namespace xentz::apps
