// The exit codes of xentz-agent, as in docs/exit-codes.md.
#pragma once

#include "base/fault.hpp"
#include "domain/report.hpp"

namespace xentz::agent {

enum exit_code : int {
    exit_done = 0,
    exit_failed = 1,
    exit_usage = 2,
    exit_incomplete = 3,
    exit_no_config = 4,
    exit_locked = 5,
    exit_disabled = 6,
    exit_unreachable = 7,
    exit_wrong_password = 8,
    exit_damaged = 9,
    exit_interrupted = 130,
};

int exit_code_of(const base::fault& f);
int exit_code_of(domain::run_status s);

} // namespace xentz::agent
