// A fault is an expected failure: what went wrong, whether trying again later can help, and what the
// reader can do about it. Functions return `result<T>`; exceptions are left for what no caller can handle
// (a broken invariant, a lost database) and are caught at the edge of a request, a run or main().
//
// Threads: values, no shared state.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace xentz::base {

// The one list of causes. `name()` gives the stable text that stands in reports and in docs/faults.md.
enum class fault_code {
    usage,
    internal,
    file_failed,
    disk_full,
    config_missing,
    config_invalid,
    config_refused,
    disabled,
    device_revoked,
    token_refused,
    already_enrolled,
    run_locked,
    clock_wrong,
    network_unreachable,
    network_timeout,
    tls_failed,
    insecure_transport,
    server_refused,
    content_refused,
    server_failed,
    protocol_error,
    repository_missing,
    repository_exists,
    repository_unreachable,
    repository_refused,
    repository_locked,
    repository_full,
    repository_damaged,
    repository_unavailable,
    repository_changed,
    repository_append_only,
    wrong_password,
    password_missing,
    source_missing,
    source_unreadable,
    retention_empty,
    snapshot_missing,
    snapshot_unconfirmed,
    target_not_empty,
    restore_incomplete,
    restore_differs,
    restic_missing,
    restic_failed,
    restic_crashed,
    restic_killed,
    out_of_memory,
    timed_out,
    interrupted,
    hook_failed,
    dump_failed,
    postponed,
    scheduler_missing,
    scheduler_failed,
    not_found,
    conflict,
    invalid_value,
};

// "repository-locked"; stable, lower case, hyphenated.
std::string_view name(fault_code code);

// True where the same call may succeed later without anybody doing anything.
bool may_retry(fault_code code);

struct fault {
    fault_code code = fault_code::internal;
    std::string message; // one sentence without a full stop: what failed and why
    std::string remedy;  // one sentence without a full stop: what to do; empty where nothing can be done
};

// "MESSAGE. REMEDY." as it is shown to a person.
std::string sentence(const fault& f);

template <class T = void>
using result = std::expected<T, fault>;

inline std::unexpected<fault> fail(fault_code code, std::string message, std::string remedy = {})
{
    return std::unexpected(fault{code, std::move(message), std::move(remedy)});
}

// Hands the fault of a failed result on to the caller: `if (!r) return failed(r);`
template <class T>
std::unexpected<fault> failed(std::expected<T, fault>& r)
{
    return std::unexpected(std::move(r.error()));
}

} // namespace xentz::base
