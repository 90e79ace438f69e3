// When the trash may be emptied, and how much of it: pure. The sweep does not trust the machine's clock: an instant
// that a wrong or a manipulated clock shows must not make old what is young. It keeps a clock of its own in the
// database, which advances by no more than the time that this process has seen pass, or a day across a restart.
//
// Threads: pure functions.
#pragma once

#include "store/object_journal.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace xentz::control {

using sweep_time = store::object_journal::sweep_time;

// What this process saw at one moment.
struct sweep_instant {
    base::time_point now;
    std::chrono::microseconds elapsed{};
};

struct sweep_judgement {
    sweep_time next;
    bool may_purge = false;            // the clock agrees with the last sweep plus elapsed time
    std::chrono::microseconds drift{}; // how far the clock is from where it should be; 0 where nobody knows
};

// `last`: of whichever process swept last; `seen`: this process's last look, absent after its start.
sweep_judgement judge_sweep(const std::optional<sweep_time>& last, const std::optional<sweep_instant>& seen,
                            const sweep_instant& here);

// How many bytes of a repository's trash may go on one day.
std::int64_t purge_budget(std::int64_t trash_bytes);

std::int64_t day_of(base::time_point t);

} // namespace xentz::control
