// How a run gets on, as text: pure functions.
#pragma once

#include "engine/engine.hpp"

#include <optional>
#include <string>

namespace xentz::apps {

struct progress_view {
    std::optional<double> bytes_per_second; // of now
    std::size_t width = 80;                 // never wider than that
    bool coloured = false;
};

// "[#########-----------]  45%  1.2 GiB of 2.7 GiB, 3 of 8 files, 41.0 MiB/s, 37.0 s left"; of what does not fit, the
// last parts are left out.
std::string progress_bar(const engine::progress& p, const progress_view& v);

// "45%, 1.2 GiB of 2.7 GiB, 3 of 8 files, 41.0 MiB/s, 37.0 s left"
std::string progress_sentence(const engine::progress& p, std::optional<double> bytes_per_second);

// "about 8 files, 2.7 GiB; at 41.0 MiB/s about 1 min 05 s".
std::string estimate_sentence(const engine::progress& p, std::optional<double> bytes_per_second);

} // namespace xentz::apps
