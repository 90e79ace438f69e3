// Against a bus of its own (dbus-daemon) with a stand-in for logind, written with the same library.
#include "fakes/scratch_folder.hpp"
#include "os/process.hpp"
#include "os/sleep_inhibitor.hpp"

#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace xentz::os {
namespace {

using namespace std::chrono_literals;

// What a caller asked of the stand-in, and the end of the pipe that tells whether it still holds what it got.
struct logind {
    std::string asked;
    int watched = -1;
    bool refuses = false;
};

int on_inhibit(sd_bus_message* m, void* data, sd_bus_error* error)
{
    auto& self = *static_cast<logind*>(data);
    std::array<const char*, 4> text{};
    if (const int r = sd_bus_message_read(m, "ssss", &text[0], &text[1], &text[2], &text[3]); r < 0) return r;
    for (const auto* t : text) self.asked += std::string{t} + "|";
    if (self.refuses) return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "not allowed");
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    self.watched = ends[0];
    const int sent = sd_bus_reply_method_return(m, "h", ends[1]);
    ::close(ends[1]);
    return sent;
}

struct bus_with_logind : testing::Test {
    fakes::scratch_folder folder;
    std::string address = "unix:path=" + (folder.path() / "bus").string();
    logind self;
    std::stop_source ending;
    std::jthread daemon;
    std::jthread service;
    std::atomic<bool> ready = false;

    void SetUp() override
    {
        daemon = std::jthread{[this] {
            const auto config = "--address=" + address;
            static_cast<void>(make_process_runner()->run(
                {.program = "/usr/bin/dbus-daemon", .args = {"--session", "--nofork", "--nopidfile", config}},
                {.grace = 1s}, ending.get_token(), [](auto) {}, [](auto) {}));
        }};
        service = std::jthread{[this](std::stop_token stop) { serve(stop); }};
        for (int i = 0; i < 1000 && !ready; ++i) std::this_thread::sleep_for(10ms);
        ASSERT_TRUE(ready) << "no bus";
    }
    void TearDown() override
    {
        service.request_stop();
        service.join();
        ending.request_stop();
        daemon.join();
        if (self.watched >= 0) ::close(self.watched);
    }

    void serve(const std::stop_token& stop)
    {
        constexpr auto methods = std::to_array<sd_bus_vtable>(
            {SD_BUS_VTABLE_START(0), SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, 0), SD_BUS_VTABLE_END});
        sd_bus* bus = nullptr;
        while (!stop.stop_requested()) {
            sd_bus_new(&bus);
            sd_bus_set_address(bus, address.c_str());
            sd_bus_set_bus_client(bus, 1);
            if (sd_bus_start(bus) >= 0 && sd_bus_request_name(bus, "org.freedesktop.login1", 0) >= 0) break;
            bus = sd_bus_unref(bus);
            std::this_thread::sleep_for(20ms);
        }
        sd_bus_add_object_vtable(bus, nullptr, "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
                                 methods.data(), &self);
        ready = true;
        while (!stop.stop_requested()) {
            if (sd_bus_process(bus, nullptr) > 0) continue;
            sd_bus_wait(bus, 20'000);
        }
        sd_bus_flush_close_unref(bus);
    }

    // The other end of the pipe is closed: nothing is to be read, and nothing can come any more.
    bool released() const
    {
        for (int i = 0; i < 200; ++i) {
            char c = 0;
            if (::read(self.watched, &c, 1) == 0) return true;
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }
    bool held() const
    {
        char c = 0;
        return ::read(self.watched, &c, 1) < 0 && errno == EAGAIN;
    }
};

TEST_F(bus_with_logind, the_machine_stays_awake_as_long_as_it_is_asked_to)
{
    auto awake = make_sleep_inhibitor("xentz-agent", address)->keep_awake("backing up");
    EXPECT_TRUE(awake->granted());
    EXPECT_EQ(self.asked, "sleep|xentz-agent|backing up|block|");
    EXPECT_TRUE(held());
    awake.reset();
    EXPECT_TRUE(released());
}

TEST_F(bus_with_logind, a_refusal_stops_nothing)
{
    self.refuses = true;
    const auto awake = make_sleep_inhibitor("xentz-agent", address)->keep_awake("backing up");
    ASSERT_TRUE(awake);
    EXPECT_FALSE(awake->granted());
}

TEST(sleep_inhibitor, without_a_bus_nothing_happens)
{
    const auto began = std::chrono::steady_clock::now();
    const auto awake = make_sleep_inhibitor("xentz-agent", "unix:path=/nowhere/bus")->keep_awake("backing up");
    ASSERT_TRUE(awake);
    EXPECT_FALSE(awake->granted());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

} // namespace
} // namespace xentz::os
