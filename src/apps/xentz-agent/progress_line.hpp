// How a run gets on, on standard error: a bar on a terminal; elsewhere, so that logs stay readable, nothing, or with
// `verbose` a line every half minute. Once it is known how much there is, a first run says what to expect, on the
// terminal and in the log.
#pragma once

#include "base/log.hpp"
#include "engine/engine.hpp"
#include "rate.hpp"

#include <chrono>
#include <cstdint>

namespace xentz::apps {

struct progress_options {
    bool verbose = false;
    bool estimate = false; // a first run
};

class progress_line {
public:
    progress_line(progress_options o, base::logger& log);
    ~progress_line(); // removes the bar
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    void show(const engine::progress& p);

private:
    void clear();
    void estimate(const engine::progress& p, std::chrono::milliseconds elapsed);

    struct totals {
        std::uint64_t bytes = 0;
        std::chrono::milliseconds since{0}; // when they were last seen to change
    };

    progress_options options_;
    base::logger& log_;
    bool terminal_;
    bool coloured_;
    bool drawn_ = false;
    rate rate_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    totals totals_;
    std::chrono::milliseconds last_line_{0};
};

} // namespace xentz::apps
