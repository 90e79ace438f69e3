#include "os/stop.hpp"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

namespace xentz::os {
namespace {

// The signals are blocked in every thread and waited for by one, so that no code runs in signal context.
// SIGUSR2 to that thread alone ends it.
class stop_signals_thread final : public stop_signals {
public:
    stop_signals_thread()
    {
        sigemptyset(&awaited_);
        for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGUSR2}) sigaddset(&awaited_, s);
        pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
        thread_ = std::thread{[this] { wait(); }};
    }
    ~stop_signals_thread() override
    {
        pthread_kill(thread_.native_handle(), SIGUSR2);
        thread_.join();
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    stop_signals_thread(const stop_signals_thread&) = delete;
    stop_signals_thread& operator=(const stop_signals_thread&) = delete;

    std::stop_token token() const override { return source_.get_token(); }
    int received() const override { return received_; }
    void on_hangup(std::function<void()> f) override
    {
        const std::lock_guard guard{mutex_};
        hangup_ = std::move(f);
    }

private:
    void wait()
    {
        for (;;) {
            int signal = 0;
            if (sigwait(&awaited_, &signal) != 0) continue;
            if (signal == SIGUSR2) return;
            if (signal == SIGHUP && handled_hangup()) continue;
            if (received_.exchange(signal) != 0) _exit(128 + signal);
            source_.request_stop();
        }
    }

    bool handled_hangup()
    {
        const std::lock_guard guard{mutex_};
        if (!hangup_) return false;
        hangup_();
        return true;
    }

    std::mutex mutex_;
    std::function<void()> hangup_;
    sigset_t awaited_{};
    sigset_t before_{};
    std::atomic<int> received_{0};
    std::stop_source source_;
    std::thread thread_;
};

} // namespace

bool wait_for(std::chrono::microseconds time, const std::stop_token& stop)
{
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock{mutex};
    stopped.wait_for(lock, stop, time, [] { return false; });
    return !stop.stop_requested();
}

std::unique_ptr<stop_signals> catch_stop_signals() { return std::make_unique<stop_signals_thread>(); }

} // namespace xentz::os
