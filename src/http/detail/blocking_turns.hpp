// Turns for what blocks a thread of the server: a disk, a database, a handler. There are fewer of them than threads, so
// that the network is always served, whatever all handlers wait for. Who finds none free waits without holding a
// thread; the first to wait is the first to go on.
//
// Threads: may be used from any thread at once; `wait` from a coroutine whose executor is a strand. It outlives all who
// wait.
#pragma once

#include <boost/asio/awaitable.hpp>

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
    struct waiter;

    std::mutex mutex_;
    unsigned free_;
    std::deque<waiter*> waiting_;
};

} // namespace xentz::http::detail
