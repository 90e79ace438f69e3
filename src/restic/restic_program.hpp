// The restic program of one engine: runs it and knows its version, which it asks for once, or finds in the record.
//
// Threads: may be used from any thread at once.
#pragma once

#include "restic/failure.hpp"
#include "restic/restic_engine.hpp"
#include "restic/version.hpp"

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::restic {

class restic_program {
public:
    restic_program(restic_setup setup, os::process_runner& runner) : setup_(std::move(setup)), runner_(&runner) {}

    const restic_setup& setup() const { return setup_; }
    std::string clean(std::string_view text) const;

    base::result<restic::version> version(std::stop_token stop);
    // The program is filled in.
    base::result<os::process_end> run(os::command command, const os::process_limits& limits, std::stop_token stop,
                                      const os::line_sink& out, const os::line_sink& err);

private:
    base::result<restic::version> ask_version(std::stop_token stop);

    restic_setup setup_;
    os::process_runner* runner_;
    std::mutex mutex_;
    std::optional<restic::version> known_;
};

} // namespace xentz::restic
