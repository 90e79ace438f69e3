// The address of a device's repository, with the credential in it, as restic and the agent take it:
// rest:http(s)://<device_id>:<secret>@host:port/repo/<tenant_id>/<device_id>/<user_id>/
#pragma once

#include "crypto/secrets.hpp"
#include "store/rows.hpp"

#include <string>
#include <string_view>

namespace xentz::control {

std::string repository_secret(const crypto::master_key& key, const store::repository& r);

// "/repo/<tenant_id>/<device_id>/<user_id>/", below the public address.
std::string repository_path(const store::repository& r);

// The address with another credential than the device's.
std::string address_with(std::string_view public_url, std::string_view user, std::string_view secret,
                         const store::repository& r);

std::string repository_address(std::string_view public_url, const crypto::master_key& key, const store::repository& r);

} // namespace xentz::control
