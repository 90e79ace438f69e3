#include "http/detail/blocking_turns.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace xentz::http::detail {

namespace asio = boost::asio;

// A timer that never passes is what Asio has to wait for another coroutine.
struct blocking_turns::waiter {
    asio::steady_timer woken;
};

bool blocking_turns::try_take()
{
    const std::lock_guard lock{mutex_};
    if (free_ == 0) return false;
    --free_;
    return true;
}

task<> blocking_turns::wait()
{
    const auto strand = co_await asio::this_coro::executor;
    waiter own{asio::steady_timer{strand, asio::steady_timer::time_point::max()}};
    {
        const std::lock_guard lock{mutex_};
        if (free_ > 0) {
            --free_;
            co_return;
        }
        waiting_.push_back(&own);
    }
    co_await own.woken.async_wait(asio::as_tuple(asio::use_awaitable));
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
    asio::post(strand, [next] { next->woken.cancel(); });
}

} // namespace xentz::http::detail
