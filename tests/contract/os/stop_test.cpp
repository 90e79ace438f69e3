#include "os/stop.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <csignal>
#include <mutex>

#include <unistd.h>

namespace xentz::os {
namespace {

using namespace std::chrono_literals;

bool stops_within(const std::stop_token& token, std::chrono::milliseconds at_most)
{
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait_for(lock, token, at_most, [] { return false; });
    return token.stop_requested();
}

TEST(stop, a_hangup_stops_unless_it_was_given_another_meaning)
{
    const auto signals = catch_stop_signals();
    std::mutex mutex;
    std::condition_variable changed;
    int calls = 0;
    signals->on_hangup([&] {
        const std::lock_guard guard{mutex};
        ++calls;
        changed.notify_all();
    });
    for (int expected = 1; expected <= 2; ++expected) {
        ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
        std::unique_lock lock{mutex};
        ASSERT_TRUE(changed.wait_for(lock, 20s, [&] { return calls == expected; }));
    }
    EXPECT_FALSE(signals->token().stop_requested());
    EXPECT_EQ(signals->received(), 0);

    signals->on_hangup({});
    ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
    EXPECT_TRUE(stops_within(signals->token(), 20s));
    EXPECT_EQ(signals->received(), SIGHUP);
    EXPECT_EQ(calls, 2);
}

} // namespace
} // namespace xentz::os
