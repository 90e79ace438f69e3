// Who may use a repository beside its device, and when the device may do more than usual: credentials that read, or
// maintain, for a limited time, and the time-boxed maintenance of an append-only repository.
//
// A credential is a row and a secret that is derived from it under the master key, so nothing that opens a repository
// is stored. It belongs to the repository, not to the device: it opens it after the device was revoked, too.
// Errors: see each function; a database that fails throws. Threads: as store::fleet_store.
#pragma once

#include "control/administration.hpp"
#include "crypto/secrets.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::control {

constexpr std::string_view read_only_kind = "read-only";
constexpr std::string_view maintenance_kind = "maintenance";

struct new_credential {
    std::string kind{read_only_kind};                // or maintenance_kind
    std::string reason;                              // for those who read the list
    std::chrono::seconds ttl = std::chrono::days{7}; // 1 minute to 1 year; maintenance: to 7 days
};
struct made_credential {
    std::string id; // also the user of HTTP Basic
    std::string repository_id;
    std::string kind;
    std::string secret;                    // shown once, but derived: it can be made again
    std::string path;                      // of the repository below the server's public address
    std::optional<std::string> repository; // the whole address, where the public address is known
    base::time_point expires_at;
};
BOOST_DESCRIBE_STRUCT(made_credential, (), (id, repository_id, kind, secret, path, repository, expires_at))

// `public_url` as in services, or empty where it is not known. invalid_value for a kind or time that there is not.
base::result<made_credential> make_credential(administrator& a, const crypto::master_key& key,
                                              const store::repository& r, const new_credential& n,
                                              std::string_view public_url);

// What HTTP Basic has to show for it.
std::string credential_secret(const crypto::master_key& key, const store::repository& r,
                              const store::repository_credential& c);

struct credential_view {
    std::string id;
    std::string kind;
    std::string reason;
    std::string state; // "active", "expired", "revoked"
    base::time_point created_at;
    base::time_point expires_at;
    std::optional<base::time_point> revoked_at;
};
BOOST_DESCRIBE_STRUCT(credential_view, (), (id, kind, reason, state, created_at, expires_at, revoked_at))
std::vector<credential_view> credentials_of(administrator& a, const store::repository& r);

// Of that repository; not_found where there is none.
base::result<> revoke_credential(administrator& a, const store::repository& r, std::string_view id);

// Until then the device's own credential may prune and change keys although the repository is append-only. 1 minute to
// 7 days.
base::result<base::time_point> begin_maintenance(administrator& a, const store::repository& r,
                                                 std::chrono::seconds duration);
void end_maintenance(administrator& a, const store::repository& r);

} // namespace xentz::control
