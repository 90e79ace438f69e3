// The machine: clock, randomness, its name and kind.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace xentz::os {

std::unique_ptr<base::clock> make_clock();
std::unique_ptr<base::random_source> make_random();

// The processes of this machine, as far as this one may see them.
class process_table {
public:
    virtual ~process_table() = default;
    // False in a process namespace of its own (a container): an id that is not seen there may be in use elsewhere.
    virtual bool sees_all() const = 0;
    // By this machine's clock, to the second; nothing where there is no such process.
    virtual std::optional<base::time_point> started_at(std::int64_t process_id) const = 0;
};
std::unique_ptr<process_table> make_process_table(const base::clock& clock);

std::filesystem::path program_path(); // of the program that calls it
std::uint32_t user_id();              // effective; 0 is root
std::filesystem::path account_home(); // of that user, whatever HOME says; empty where it has none
std::string user_name();              // its name, or its number where it has none
std::string host_name();
std::string machine_id();   // of this installation of the system (machine-id(5)); empty where there is none
std::string os_name();      // "linux", "macos", "windows"
std::string architecture(); // "amd64", "arm64", ... as Debian names them

} // namespace xentz::os
