// Is there a repository, and may we in? Asked before restic is started, because restic takes up to 15 minutes to
// say that a server is away, and because only this answer may lead to `init`. For rest: it is one HTTP HEAD of the
// repository's config (restic's REST back-end document), at most 10 seconds; for other back ends restic's own
// `snapshots`.
#pragma once

#include "agent/environment.hpp"

#include <stop_token>
#include <string>

namespace xentz::agent {

enum class repository_presence { present, absent };

// Faults: repository_unreachable, repository_refused, repository_unavailable, wrong_password, ...
base::result<repository_presence> find_repository(const std::string& address, http::client& client,
                                                  engine::session& session, std::stop_token stop);

// The address without user and password, for messages and state files.
std::string without_credential(const std::string& address);

} // namespace xentz::agent
