// Turns for what blocks a thread of the server: a disk, a database, a handler. There are fewer of them than threads, so
// that the network is always served, whatever all handlers wait for. Who finds none free waits without holding a
// thread; the first to wait is the first to go on.
//
// Threads: may be used from any thread at once; `wait` from a coroutine whose executor is a strand. It outlives all who
// wait.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <mutex>

namespace xentz::http::detail {

// All co_await expressions of the server follow one rule, because g++ 12 destroys temporaries of such an
// expression wrongly: whatever is not trivial is given a name first and awaited then.
template <class T = void>
using task = boost::asio::awaitable<T>;

class blocking_turns {
public:
    explicit blocking_turns(unsigned count) : free_{count} {}

    bool try_take();
    task<> wait();
    // Whether somebody waits for one: whoever holds a turn and only waits himself should give it back then.
    bool is_wanted() const;
    void give_back();

    // Gives back what was taken.
    class taken {
    public:
        explicit taken(blocking_turns& from) : from_{from} {}
        ~taken() { from_.give_back(); }
        taken(const taken&) = delete;
        taken& operator=(const taken&) = delete;

    private:
        blocking_turns& from_;
    };

private:
    // A timer that never passes is what Asio has to wait for another coroutine.
    struct waiter {
        boost::asio::steady_timer woken;
    };

    mutable std::mutex mutex_;
    unsigned free_;
    std::deque<waiter*> waiting_;
};

// In this header for the reason that tls_stream.hpp gives.
inline task<> blocking_turns::wait()
{
    const auto strand = co_await boost::asio::this_coro::executor;
    waiter own{boost::asio::steady_timer{strand, boost::asio::steady_timer::time_point::max()}};
    {
        const std::lock_guard lock{mutex_};
        if (free_ > 0) {
            --free_;
            co_return;
        }
        waiting_.push_back(&own);
    }
    co_await own.woken.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

} // namespace xentz::http::detail
