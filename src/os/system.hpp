// The machine: clock, randomness, its name and kind.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"

#include <memory>
#include <string>

namespace xentz::os {

std::unique_ptr<base::clock> make_clock();
std::unique_ptr<base::random_source> make_random();

std::string host_name();
std::string os_name();      // "linux", "macos", "windows"
std::string architecture(); // "amd64", "arm64", ... as Debian names them

} // namespace xentz::os
