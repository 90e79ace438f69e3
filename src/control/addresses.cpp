#include "control/addresses.hpp"

namespace xentz::control {

std::string repository_secret(const crypto::master_key& key, const store::repository& r)
{
    return key.repository_secret(r.id.text, static_cast<std::uint32_t>(r.generation));
}

std::string repository_address(std::string_view public_url, const crypto::master_key& key, const store::repository& r)
{
    const auto host = public_url.find("://") + 3;
    const auto credentials = r.device_id.text + ":" + repository_secret(key, r) + "@";
    return "rest:" + std::string{public_url.substr(0, host)} + credentials + std::string{public_url.substr(host)} +
           "/repo/" + r.tenant_id.text + "/" + r.device_id.text + "/" + r.user_id + "/";
}

} // namespace xentz::control
