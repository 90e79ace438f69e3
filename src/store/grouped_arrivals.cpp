#include "store/grouped_arrivals.hpp"

#include <utility>

namespace xentz::store {

void grouped_arrivals::arrived(const object_journal::arrival& a)
{
    waiting own{.what = &a};
    {
        std::unique_lock lock{mutex_};
        queue_.push_back(&own);
        changed_.wait(lock, [&] { return own.stored || own.failed || !is_storing_; });
        if (own.stored) return;
        if (!own.failed) {
            is_storing_ = true;
            const auto group = std::exchange(queue_, {});
            lock.unlock();
            store(group);
            lock.lock();
            is_storing_ = false;
            changed_.notify_all();
            if (own.stored) return;
        }
    }
    objects_.arrived(a.id, a.object, a.at, a.on);
}

// One that fails alone would fail the others with it: each is then left to its own thread, which learns why.
void grouped_arrivals::store(const std::vector<waiting*>& group)
{
    std::vector<object_journal::arrival> all;
    all.reserve(group.size());
    for (const auto* w : group) all.push_back(*w->what);
    bool stored = true;
    try {
        objects_.arrived_together(std::move(all));
    } catch (const std::exception&) {
        stored = false;
    }
    const std::lock_guard lock{mutex_};
    for (auto* w : group) (stored ? w->stored : w->failed) = true;
}

} // namespace xentz::store
