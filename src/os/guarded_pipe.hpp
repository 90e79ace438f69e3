// A pipe whose reader takes the end of the data for the end of the whole: a program that keeps what it reads as a
// finished thing. Its reader sees that end only after `finish`. Where this process ends in any other way - a failure,
// kill -9 - the reader is killed before the pipe closes, by a process that does nothing but wait for that.
//
// The reader has to be started in `group` (os::command), with `reader` as its input.
// Threads: one thread at a time, but `finish` may be called from another one than the rest.
#pragma once

#include "base/fault.hpp"

#include <chrono>
#include <memory>

namespace xentz::os {

class guarded_pipe {
public:
    // Where it was not finished: kills what is left of the group.
    virtual ~guarded_pipe() = default;

    virtual int reader() const = 0; // descriptors, closed on exec; owned by this object
    virtual int writer() const = 0;
    virtual int group() const = 0;

    // False where nothing was written within that time, and nothing waits to be read.
    virtual bool wait_for_data(std::chrono::milliseconds time) const = 0;

    // The reader sees the end of the data, once whoever else writes has closed the pipe. conflict where somebody still
    // has it open two seconds later: the reader waits for more, and has to be ended before those are. The group stays,
    // so that a reader may also be started afterwards.
    virtual base::result<> finish() = 0;
};

// file_failed where the system has no descriptors or processes left.
base::result<std::unique_ptr<guarded_pipe>> make_guarded_pipe();

} // namespace xentz::os
