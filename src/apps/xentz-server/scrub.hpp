// The scrub: reads every object of every repository again, and of the trash, at a bounded rate, and compares its bytes
// with its hash. What it finds it tells - in the log, in /metrics, as an alarm of the device, by `repo scrub` - and
// leaves as it is: nothing is deleted or moved.
//
// A round goes through everything; the next one begins when `between_rounds` has passed since the last one began. Where
// it is stands in the database, so that a restart goes on there, and of several processes one reads.
// Threads: one of its own, from construction to destruction. Everything handed in must outlive it.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "repo/blob_store.hpp"
#include "repo/trash_store.hpp"
#include "store/fleet_store.hpp"
#include "store/scrub_log.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

namespace xentz::apps {

struct scrub_settings {
    std::uint64_t bytes_per_second = 0; // 0: no scrub
    std::chrono::seconds between_rounds{};
};

struct scrub_parts {
    store::fleet_store& store;
    repo::blob_store& blobs;
    repo::trash_store& trash;
    const base::clock& clock;
    base::logger& log;
};

class scrub {
public:
    scrub(const scrub_parts& parts, const scrub_settings& settings, base::random_source& random);

private:
    void run(const std::stop_token& stop);
    // True where there is more to do at once.
    bool step(const std::stop_token& stop);
    std::optional<store::scrub_position> take_up();
    bool read_some(const std::stop_token& stop);
    bool move_on();
    // Writes down where it is. False where another process has taken over.
    bool note();
    void note_if_time();
    // Why its bytes are not what they should be; empty where they are.
    base::result<std::string> examine(const store::object_life& l, const std::stop_token& stop);
    base::result<std::string> examine_bytes(repo::object_reader& reader, const store::object_life& l,
                                            const std::stop_token& stop);
    void judge(const store::object_life& l, const std::string& how);
    void pace(std::uint64_t bytes, const std::stop_token& stop);

    scrub_parts parts_;
    scrub_settings settings_;
    store::scrub_log log_;
    std::string worker_;
    store::scrub_position at_;
    store::scrub_position written_;          // as the database has it
    bool lost_ = false;                      // another process has taken over
    std::chrono::microseconds noted_{0};     // by the clock that only advances
    std::chrono::microseconds next_read_{0}; // likewise
    std::jthread thread_;                    // last: it uses everything above
};

} // namespace xentz::apps
