// What the kernel says of power supplies, from a folder that looks like its own; and NetworkManager, by a stand-in on a
// bus of its own.
#include "os/circumstances.hpp"

#include "fakes/scratch_folder.hpp"
#include "support/message_bus.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace xentz::os {
namespace {

struct power_supplies : testing::Test {
    fakes::scratch_folder folder;

    void add(const std::string& name, const std::map<std::string, std::string>& files)
    {
        std::filesystem::create_directory(folder.path() / name);
        for (const auto& [file, text] : files) std::ofstream{folder.path() / name / file} << text << "\n";
    }
    std::optional<bool> on_battery() const
    {
        return make_circumstances(folder.path(), "unix:path=/nowhere/bus")->on_battery();
    }
};

TEST_F(power_supplies, a_machine_without_a_battery_does_not_run_on_one)
{
    EXPECT_EQ(on_battery(), false);
    add("AC", {{"type", "Mains"}, {"online", "0"}});
    EXPECT_EQ(on_battery(), false);
}

TEST_F(power_supplies, a_battery_that_is_used_up_counts_unless_something_feeds_the_machine)
{
    add("BAT0", {{"type", "Battery"}, {"scope", "System"}, {"status", "Discharging"}});
    EXPECT_EQ(on_battery(), true);
    add("AC", {{"type", "Mains"}, {"online", "0"}});
    EXPECT_EQ(on_battery(), true);
    add("usb", {{"type", "USB"}, {"online", "1"}});
    EXPECT_EQ(on_battery(), false);
}

TEST_F(power_supplies, a_full_battery_and_that_of_a_mouse_do_not_count)
{
    add("BAT0", {{"type", "Battery"}, {"status", "Full"}});
    add("mouse", {{"type", "Battery"}, {"scope", "Device"}, {"status", "Discharging"}});
    EXPECT_EQ(on_battery(), false);
}

TEST_F(power_supplies, of_which_nothing_is_known_are_not_guessed_at)
{
    EXPECT_FALSE(make_circumstances(folder.path() / "none", "unix:path=/nowhere/bus")->on_battery().has_value());
}

int get_metered(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* data, sd_bus_error*)
{
    return sd_bus_message_append(reply, "u", *static_cast<const std::uint32_t*>(data));
}

constexpr auto network_manager = std::to_array<sd_bus_vtable>(
    {SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("Metered", "u", get_metered, 0, 0), SD_BUS_VTABLE_END});

struct bus_with_network_manager : testing::Test {
    std::uint32_t metered = 0;
    test::message_bus bus{{.name = "org.freedesktop.NetworkManager",
                           .path = "/org/freedesktop/NetworkManager",
                           .interface = "org.freedesktop.NetworkManager",
                           .table = network_manager.data(),
                           .data = &metered}};
};

TEST_F(bus_with_network_manager, says_whether_the_connection_is_metered_or_looks_like_it)
{
    const auto around = make_circumstances("/nowhere", bus.address);
    const std::map<std::uint32_t, std::optional<bool>> answers{{0, std::nullopt}, {1, true},  {2, false},
                                                               {3, true},         {4, false}, {17, std::nullopt}};
    for (const auto& [value, expected] : answers) {
        metered = value;
        EXPECT_EQ(around->on_metered(), expected) << value;
    }
}

TEST(network_manager, that_is_not_there_says_nothing)
{
    EXPECT_FALSE(make_circumstances("/nowhere", "unix:path=/nowhere/bus")->on_metered().has_value());
}

} // namespace
} // namespace xentz::os
