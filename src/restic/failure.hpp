// Why a run of restic failed, from the operation, how the process ended and what it said. Exit codes tell since
// 0.17 (10 no repository, 11 locked, 12 wrong password, 130 interrupted); before that, and for everything else,
// only the text does. Unknown codes are failures.
//
// Threads: pure functions.
// Source: restic's manual (scripting, exit codes) and recorded runs of 0.14, 0.18 and 0.19.
#pragma once

#include "base/fault.hpp"
#include "os/process.hpp"
#include "restic/version.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace xentz::restic {

enum class operation {
    version,
    init,
    backup,
    snapshots,
    list,
    forget,
    prune,
    restore,
    check,
    unlock,
    identify,
    locks,
    keys
};

// "the backup", "forgetting old snapshots", ...: begins a sentence that goes on with "failed".
std::string_view name(operation op);

// The lines are redacted already (restic/error_lines.hpp). The message holds the most telling one of them, the
// fault always has a remedy.
base::fault judge(operation op, const std::optional<version>& v, const os::process_end& end,
                  const std::deque<std::string>& lines);

// Why a run was interrupted that would have tried in vain for a long time (restic/retry_watch.hpp).
struct finding {
    base::fault_code code;
    std::string line;
};
base::fault in_vain(operation op, const finding& f);

} // namespace xentz::restic
