#include "http/detail/blocking_turns.hpp"

#include <boost/asio/post.hpp>

namespace xentz::http::detail {

bool blocking_turns::try_take()
{
    const std::lock_guard lock{mutex_};
    if (free_ == 0) return false;
    --free_;
    return true;
}

bool blocking_turns::is_wanted() const
{
    const std::lock_guard lock{mutex_};
    return !waiting_.empty();
}

// A turn that somebody waits for goes to him and is never free meanwhile.
void blocking_turns::give_back()
{
    const std::lock_guard lock{mutex_};
    if (waiting_.empty()) {
        ++free_;
        return;
    }
    auto* next = waiting_.front();
    waiting_.pop_front();
    // On his strand, and so not before he has begun to wait.
    const auto strand = next->woken.get_executor();
    boost::asio::post(strand, [next] { next->woken.cancel(); });
}

} // namespace xentz::http::detail
