// Is there a repository, may we in, and is it still the same one? Asked before restic is started, because restic takes
// up to 15 minutes to say that a server is away, and because only this answer may lead to `init`. For rest: it is one
// HTTP GET of the repository's config, for a folder of this machine a look at the same file; neither costs a key
// derivation. For other back ends it is restic's own answer.
#pragma once

#include "agent/environment.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace xentz::agent {

struct repository_look {
    bool present = false;
    // SHA-256 of the repository's config, where that can be seen without restic.
    std::optional<std::string> fingerprint;
    // The repository's id, where restic had to be asked anyway.
    std::optional<std::string> id;
    std::optional<base::time_point> server_time;
};

// Faults: repository_unreachable, repository_refused, repository_unavailable, wrong_password, ...
base::result<repository_look> look_at_repository(os::files& fs, const std::string& address, http::client& client,
                                                 engine::session& session, std::stop_token stop);

// The same for those who only read: repository_missing where there is none.
base::result<> require_repository(os::files& fs, const std::string& address, http::client& client,
                                  engine::session& session, std::stop_token stop);

// The folder of a repository on this machine; nothing for every other back end.
std::optional<std::filesystem::path> local_repository(const std::string& address);

// The address without user and password, for messages and state files.
std::string without_credential(const std::string& address);

} // namespace xentz::agent
