// Against a bus of its own (dbus-daemon) with a stand-in for logind, written with the same library.
#include "os/sleep_inhibitor.hpp"
#include "support/message_bus.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
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

constexpr auto login_manager = std::to_array<sd_bus_vtable>(
    {SD_BUS_VTABLE_START(0), SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, 0), SD_BUS_VTABLE_END});

struct bus_with_logind : testing::Test {
    logind self;
    test::message_bus bus{{.name = "org.freedesktop.login1",
                           .path = "/org/freedesktop/login1",
                           .interface = "org.freedesktop.login1.Manager",
                           .table = login_manager.data(),
                           .data = &self}};
    ~bus_with_logind() override
    {
        if (self.watched >= 0) ::close(self.watched);
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
    auto awake = make_sleep_inhibitor("xentz-agent", bus.address)->keep_awake("backing up");
    EXPECT_TRUE(awake->granted());
    EXPECT_EQ(self.asked, "sleep|xentz-agent|backing up|block|");
    EXPECT_TRUE(held());
    awake.reset();
    EXPECT_TRUE(released());
}

TEST_F(bus_with_logind, a_refusal_stops_nothing)
{
    self.refuses = true;
    const auto awake = make_sleep_inhibitor("xentz-agent", bus.address)->keep_awake("backing up");
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
