// SQL that several sources of this module ask with; for them alone.
#pragma once

namespace xentz::store {

constexpr const char* device_by_id = "from device where id = $1";
constexpr const char* repository_by_id = "from repository where id = $1";
constexpr const char* credential_by_id = "from repository_credential where id = $1";
// What is revoked already keeps its first instant.
constexpr const char* mark_device_revoked =
    "update device set revoked_at = coalesce(revoked_at, $1) where id = $2 returning id";

} // namespace xentz::store
