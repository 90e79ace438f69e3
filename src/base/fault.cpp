#include "base/fault.hpp"

#include <algorithm>
#include <array>

namespace xentz::base {
namespace {

struct entry {
    fault_code code;
    std::string_view name;
    bool retry;
};

constexpr auto entries = std::to_array<entry>({
    {fault_code::usage, "usage", false},
    {fault_code::internal, "internal", true},
    {fault_code::file_failed, "file-failed", true},
    {fault_code::disk_full, "disk-full", true},
    {fault_code::config_missing, "config-missing", false},
    {fault_code::config_invalid, "config-invalid", false},
    {fault_code::config_refused, "config-refused", false},
    {fault_code::disabled, "disabled", false},
    {fault_code::device_revoked, "device-revoked", false},
    {fault_code::token_refused, "token-refused", false},
    {fault_code::already_enrolled, "already-enrolled", false},
    {fault_code::run_locked, "run-locked", true},
    {fault_code::clock_wrong, "clock-wrong", true},
    {fault_code::network_unreachable, "network-unreachable", true},
    {fault_code::network_timeout, "network-timeout", true},
    {fault_code::tls_failed, "tls-failed", false},
    {fault_code::insecure_transport, "insecure-transport", false},
    {fault_code::server_refused, "server-refused", false},
    {fault_code::content_refused, "content-refused", false},
    {fault_code::server_failed, "server-failed", true},
    {fault_code::protocol_error, "protocol-error", true},
    {fault_code::repository_missing, "repository-missing", false},
    {fault_code::repository_exists, "repository-exists", false},
    {fault_code::repository_unreachable, "repository-unreachable", true},
    {fault_code::repository_refused, "repository-refused", false},
    {fault_code::repository_locked, "repository-locked", true},
    {fault_code::repository_full, "repository-full", false},
    {fault_code::repository_damaged, "repository-damaged", false},
    {fault_code::repository_unavailable, "repository-unavailable", true},
    {fault_code::repository_changed, "repository-changed", false},
    {fault_code::repository_append_only, "repository-append-only", false},
    {fault_code::wrong_password, "wrong-password", false},
    {fault_code::password_missing, "password-missing", false},
    {fault_code::source_missing, "source-missing", false},
    {fault_code::source_unreadable, "source-unreadable", false},
    {fault_code::retention_empty, "retention-empty", false},
    {fault_code::snapshot_missing, "snapshot-missing", false},
    {fault_code::snapshot_unconfirmed, "snapshot-unconfirmed", true},
    {fault_code::target_not_empty, "target-not-empty", false},
    {fault_code::restore_incomplete, "restore-incomplete", false},
    {fault_code::restore_differs, "restore-differs", false},
    {fault_code::restic_missing, "restic-missing", false},
    {fault_code::restic_failed, "restic-failed", true},
    {fault_code::restic_crashed, "restic-crashed", true},
    {fault_code::restic_killed, "restic-killed", true},
    {fault_code::out_of_memory, "out-of-memory", true},
    {fault_code::timed_out, "timed-out", true},
    {fault_code::interrupted, "interrupted", true},
    {fault_code::hook_failed, "hook-failed", true},
    {fault_code::dump_failed, "dump-failed", true},
    {fault_code::postponed, "postponed", true},
    {fault_code::scheduler_missing, "scheduler-missing", false},
    {fault_code::scheduler_failed, "scheduler-failed", false},
    {fault_code::not_found, "not-found", false},
    {fault_code::conflict, "conflict", false},
    {fault_code::invalid_value, "invalid-value", false},
});

const entry& of(fault_code code)
{
    const auto* at = std::ranges::find(entries, code, &entry::code);
    return at == entries.end() ? entries[1] : *at;
}

} // namespace

std::string_view name(fault_code code) { return of(code).name; }

bool may_retry(fault_code code) { return of(code).retry; }

std::string sentence(const fault& f)
{
    auto text = f.message + ".";
    if (!f.remedy.empty()) text += " " + f.remedy + ".";
    return text;
}

} // namespace xentz::base
