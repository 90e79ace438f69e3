#include "store/grouped_arrivals.hpp"

#include <utility>

namespace xentz::store {

// Who comes first leads: he stores all that wait, and then the first of those that came meanwhile leads. Nobody else is
// woken: with many, waking all for each turn would cost more than what they wait for.
void grouped_arrivals::arrived(const object_journal::arrival& a)
{
    waiting own{.what = &a};
    {
        std::unique_lock lock{mutex_};
        queue_.push_back(&own);
        if (is_storing_)
            own.woken.wait(lock, [&] { return own.turn != fate::none; });
        else
            own.turn = fate::leads;
        if (own.turn == fate::leads) {
            is_storing_ = true;
            const auto group = std::exchange(queue_, {});
            lock.unlock();
            store(group);
        }
    }
    if (own.turn == fate::failed) objects_.arrived(a.id, a.object, a.at, a.on);
}

// One that fails alone would fail the others with it: each is then left to its own thread, which learns why.
void grouped_arrivals::store(const std::vector<waiting*>& group)
{
    std::vector<object_journal::arrival> all;
    auto turn = fate::stored;
    try {
        all.reserve(group.size());
        for (const auto* w : group) all.push_back(*w->what);
        objects_.arrived_together(std::move(all));
    } catch (const std::exception&) {
        turn = fate::failed;
    }
    const std::lock_guard lock{mutex_};
    for (auto* w : group) tell(*w, turn);
    let_next_lead();
}

// With the mutex held.
void grouped_arrivals::let_next_lead()
{
    is_storing_ = !queue_.empty();
    if (is_storing_) tell(*queue_.front(), fate::leads);
}

// With the mutex held, so that what is told is still there.
void grouped_arrivals::tell(waiting& w, fate turn)
{
    w.turn = turn;
    w.woken.notify_one();
}

} // namespace xentz::store
