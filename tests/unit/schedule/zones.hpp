// The machine's zone as a test wants it. The C library has one for the whole program, so one at a time.
#pragma once

#include "os/time_zone.hpp"

#include <cstdlib>
#include <memory>
#include <string>

namespace xentz::schedule::test {

class in_zone {
public:
    explicit in_zone(const std::string& name)
    {
        ::setenv("TZ", name.c_str(), 1);
        zone_ = os::make_local_zone();
    }
    ~in_zone() { ::unsetenv("TZ"); }
    in_zone(const in_zone&) = delete;
    in_zone& operator=(const in_zone&) = delete;

    const os::time_zone& operator*() const { return *zone_; }

private:
    std::unique_ptr<os::time_zone> zone_;
};

} // namespace xentz::schedule::test
