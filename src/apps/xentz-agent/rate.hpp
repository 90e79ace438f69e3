// How fast something grows now: over the last seconds, since an average over a whole run says little of a run that
// first finds unchanged files and then new ones.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace xentz::apps {

class rate {
public:
    static constexpr std::chrono::seconds window{10};
    // Samples that come faster replace each other, so that memory does not grow with their number.
    static constexpr std::chrono::milliseconds between{100};

    // `at` must not go back. Where `bytes` shrinks, something new has begun.
    void note(std::chrono::milliseconds at, std::uint64_t bytes);
    // Bytes per second; nothing before a second has passed.
    std::optional<double> per_second() const;
    std::size_t samples() const { return samples_.size(); }

private:
    struct sample {
        std::chrono::milliseconds at;
        std::uint64_t bytes;
    };
    std::deque<sample> samples_; // the oldest is the last one before the window began
};

} // namespace xentz::apps
