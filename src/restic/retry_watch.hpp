// Tells when it makes no sense to wait for what restic tries again and again: restic repeats an operation up to ten
// times (before 0.17) or for a quarter of an hour, also where the server refuses it or its disk is full. While the
// repository is being opened, no answer within a given time counts as unreachable, too.
//
// Threads: one thread at a time. Time comes in with each line.
// Source: restic's internal/backend/retry; recorded runs (tests/golden/restic).
#pragma once

#include "restic/failure_rules.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace xentz::restic {

class retry_watch {
public:
    using duration = std::chrono::microseconds;

    retry_watch(operation op, duration longest_opening) : op_(op), longest_opening_(longest_opening) {}

    // A line of stdout: the repository is open. Behind its summary the work is done, whatever is still tried.
    void read_out(std::string_view line);

    // A line of stderr, `since_start` after restic began: why waiting is in vain, where it is.
    std::optional<finding> read_err(std::string_view line, duration since_start);

private:
    bool in_vain(const finding& f, std::string_view call) const;

    operation op_;
    duration longest_opening_;
    bool open_ = false;
    bool done_ = false;
};

// "1m5.828s" as Go prints a duration; nothing where it is none.
std::optional<std::chrono::microseconds> parse_go_duration(std::string_view text);

} // namespace xentz::restic
