#include "rate.hpp"

namespace xentz::apps {

void rate::note(std::chrono::milliseconds at, std::uint64_t bytes)
{
    if (!samples_.empty() && bytes < samples_.back().bytes) samples_.clear();
    const bool soon = samples_.size() > 1 && at - samples_[samples_.size() - 2].at < between;
    if (soon)
        samples_.back() = {at, bytes};
    else
        samples_.push_back({at, bytes});
    while (samples_.size() > 2 && at - samples_[1].at >= window) samples_.pop_front();
}

std::optional<double> rate::per_second() const
{
    if (samples_.empty()) return std::nullopt;
    const auto passed = samples_.back().at - samples_.front().at;
    if (passed < std::chrono::seconds{1}) return std::nullopt;
    return static_cast<double>(samples_.back().bytes - samples_.front().bytes) * 1000.0 /
           static_cast<double>(passed.count());
}

} // namespace xentz::apps
