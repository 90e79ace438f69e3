// `rotate-password`: another password for the repository, in an order in which a crash at any point leaves one that
// works:
//
//   a new password, beside the old one (restic.pw.next) -> a key for it in the repository -> handed over (custody.hpp)
//     -> the repository is opened with it -> restic.pw is the new one, the old one is kept with its date
//     -> the old key goes
//
// What is under way is known by state/password.json; whoever runs it again goes on. What it is not: restic's master key
// stays the same, so who has once had the old password and a copy of the repository's keys can read what is written
// later, too. Only a new repository helps against that.
#pragma once

#include "agent/environment.hpp"
#include "agent/local_config.hpp"

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::agent {

// Who is to have the new password: another custody than the machine has had (custody.hpp).
struct wished_custody {
    std::string custody;
    std::optional<std::string> custody_key; // with "sealed"
};

struct rotated_password {
    std::filesystem::path old_password;       // where the old one was kept
    std::optional<std::string> only_password; // that this machine alone has now: for the recovery sheet
    local_config config;                      // as it is now
    bool went_on = false;                     // with a rotation that had been cut short
    std::vector<std::string> warnings;
};

// Faults: run_locked, config_missing, those of the repository (repository_append_only where its keys must stay), those
// of the control plane, which are said before anything is changed for good; usage where the wish makes no sense, and
// conflict where a rotation with another wish was cut short. The old password works until the end.
base::result<rotated_password> rotate_password(environment& env, const std::optional<wished_custody>& wish,
                                               std::stop_token stop);

} // namespace xentz::agent
