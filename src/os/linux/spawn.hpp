// Starts a child process: its pipes, its signals, the descriptors that it inherits and its priorities.
//
// Threads: may be used from any thread at once.
// Errors: the errno of what failed.
#pragma once

#include "os/process.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <expected>
#include <utility>

namespace xentz::os {

// Owns a descriptor of this process.
class descriptor {
public:
    explicit descriptor(int number = -1) : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { reset(); }

    void reset()
    {
        if (number_ >= 0) ::close(std::exchange(number_, -1));
    }
    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

struct started_child {
    pid_t process_id = -1;
    pid_t group = -1;
    descriptor out; // what it writes; closed where that goes elsewhere
    descriptor err;
};

// The child is in the group that the command says, else in one of its own, and finds what it inherits under 3, 4, ...
// in the order of the numbers here. A priority that the system refuses is left as it is: a run in its way is better
// than none.
std::expected<started_child, int> spawn(const command& c);

} // namespace xentz::os
