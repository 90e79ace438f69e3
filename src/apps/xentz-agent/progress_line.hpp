// A progress bar on a terminal; nothing elsewhere, so that logs stay readable.
#pragma once

#include "engine/engine.hpp"

#include <chrono>
#include <string>

namespace xentz::apps {

class progress_line {
public:
    // Draws on standard error where that is a terminal.
    progress_line();
    ~progress_line(); // removes the bar
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    void show(const engine::progress& p);

private:
    bool terminal_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// "[#########-----------]  45%  1.2 GiB of 2.7 GiB, 3 of 8 files, 41.0 MiB/s, 37.0 s left"
std::string progress_text(const engine::progress& p, std::chrono::milliseconds elapsed);

} // namespace xentz::apps
