// Keeps those who would wait for a store that hangs from waiting, all of them, for the whole time limit: a thread that
// waits serves nobody. After two requests in a row without an answer, the next ones fail at once, but for one in each
// interval, which looks whether the store is back. Any answer ends it.
//
// Threads: may be used from any thread at once. Instants are of base::clock::elapsed.
#pragma once

#include "base/fault.hpp"

#include <chrono>
#include <mutex>
#include <optional>

namespace xentz::s3 {

class outage {
public:
    explicit outage(std::chrono::microseconds interval) : interval_(interval) {}

    // What a request that is about to begin would wait for in vain; nothing where it may begin.
    std::optional<base::fault> in_the_way(std::chrono::microseconds now)
    {
        const std::lock_guard guard{mutex_};
        if (silences_ < enough) return std::nullopt;
        if (now - looked_at_ < interval_) return last_;
        looked_at_ = now;
        return std::nullopt;
    }

    void silence(const base::fault& f, std::chrono::microseconds now)
    {
        const std::lock_guard guard{mutex_};
        ++silences_;
        last_ = f;
        looked_at_ = now;
    }

    void answer()
    {
        const std::lock_guard guard{mutex_};
        silences_ = 0;
    }

private:
    static constexpr int enough = 2;

    std::mutex mutex_;
    std::chrono::microseconds interval_;
    int silences_ = 0;
    std::chrono::microseconds looked_at_{0};
    base::fault last_;
};

} // namespace xentz::s3
