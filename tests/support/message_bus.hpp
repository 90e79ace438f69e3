// A message bus of its own (dbus-daemon) with one object on it, which stands in for a service of the system.
// Threads: the daemon's and the service's end with it.
#pragma once

#include "fakes/scratch_folder.hpp"
#include "os/process.hpp"

#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace xentz::test {

class message_bus {
public:
    struct service {
        std::string name; // org.freedesktop.login1
        std::string path;
        std::string interface;
        const sd_bus_vtable* table = nullptr;
        void* data = nullptr; // for the table's functions; outlives the bus
    };

    explicit message_bus(service s) : service_(std::move(s))
    {
        daemon_ = std::jthread{[this](const std::stop_token& stop) {
            static_cast<void>(os::make_process_runner()->run(
                {.program = "/usr/bin/dbus-daemon",
                 .args = {"--session", "--nofork", "--nopidfile", "--address=" + address}},
                {.grace = std::chrono::seconds{1}}, stop, [](auto) {}, [](auto) {}));
        }};
        serving_ = std::jthread{[this](const std::stop_token& stop) { serve(stop); }};
        for (int i = 0; i < 1000 && !ready_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{10});
        EXPECT_TRUE(ready_) << "no bus";
    }

private:
    fakes::scratch_folder folder_;

public:
    const std::string address = "unix:path=" + (folder_.path() / "bus").string();

private:
    void serve(const std::stop_token& stop)
    {
        sd_bus* bus = nullptr;
        while (!stop.stop_requested()) {
            sd_bus_new(&bus);
            sd_bus_set_address(bus, address.c_str());
            sd_bus_set_bus_client(bus, 1);
            if (sd_bus_start(bus) >= 0 && sd_bus_request_name(bus, service_.name.c_str(), 0) >= 0) break;
            bus = sd_bus_unref(bus);
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
        sd_bus_add_object_vtable(bus, nullptr, service_.path.c_str(), service_.interface.c_str(), service_.table,
                                 service_.data);
        ready_ = true;
        while (!stop.stop_requested()) {
            if (sd_bus_process(bus, nullptr) > 0) continue;
            sd_bus_wait(bus, 20'000);
        }
        sd_bus_flush_close_unref(bus);
    }

    service service_;
    std::atomic<bool> ready_ = false;
    std::jthread daemon_; // ended after the service
    std::jthread serving_;
};

} // namespace xentz::test
