#include "agent/exit_code.hpp"

namespace xentz::agent {

int exit_code_of(const base::fault& f)
{
    using enum base::fault_code;
    switch (f.code) {
    case usage:
    case target_not_empty:
        return exit_usage;
    case config_missing:
    case config_invalid:
        return exit_no_config;
    case run_locked:
    case repository_locked:
        return exit_locked;
    case disabled:
    case device_revoked:
        return exit_disabled;
    case repository_unreachable:
    case repository_unavailable:
        return exit_unreachable;
    case wrong_password:
    case password_missing:
    case repository_refused:
        return exit_wrong_password;
    case repository_damaged:
    case restore_differs:
        return exit_damaged;
    case interrupted:
        return exit_interrupted;
    default:
        return exit_failed;
    }
}

int exit_code_of(domain::run_status s)
{
    switch (s) {
    case domain::run_status::success:
        return exit_done;
    case domain::run_status::partial:
        return exit_incomplete;
    case domain::run_status::failure:
        break;
    }
    return exit_failed;
}

} // namespace xentz::agent
