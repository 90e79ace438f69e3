// Who else has the repository's password, as the machine's config says since it enrolled: the server, the tenant
// (sealed to a public key that is pinned), or nobody (docs/custody.md). Only the machine changes it, with a new
// password (password_rotation.hpp): what the control plane says later about custody is not read.
//
// A password that has to be handed over is, until the server has said that it keeps it, known by state/deposit.json;
// each run of a job tries again.
#pragma once

#include "agent/control_plane.hpp"
#include "agent/environment.hpp"
#include "agent/local_config.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace xentz::agent {

constexpr std::string_view custody_server = "server";
constexpr std::string_view custody_sealed = "sealed";
constexpr std::string_view custody_device = "device";

// config_invalid where a machine of a control plane does not know: it enrolled with a version that did not ask.
base::result<> require_custody(const environment& env, const local_config& local);

// Notes that this password has to be handed over; nothing where the machine keeps it alone, or has no control plane.
// Sealed here where the custody says so. Durable when it returns. The password itself is in `password_file`.
// With `says_custody` the note says it, too, and there is one in any case: it may be another one than before, or the
// server may have been told another by whoever has stolen the device's key.
base::result<> begin_deposit(environment& env, const local_config& local, const std::string& password,
                             const std::filesystem::path& password_file, bool says_custody = false);

// Hands over what begin_deposit noted, and forgets the note. Nothing to do is a success. Faults: those of the control
// plane; server_refused where it keeps passwords of this repository in another way.
base::result<> finish_deposit(environment& env, const local_config& local, control_plane& server, std::stop_token stop);

} // namespace xentz::agent
