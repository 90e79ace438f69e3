#include "control/addresses.hpp"

namespace xentz::control {

std::string repository_secret(const crypto::master_key& key, const store::repository& r)
{
    return key.repository_secret(r.id.text, static_cast<std::uint32_t>(r.generation));
}

std::string repository_path(const store::repository& r)
{
    return "/repo/" + r.tenant_id.text + "/" + r.device_id.text + "/" + r.user_id + "/";
}

std::string address_with(std::string_view public_url, std::string_view user, std::string_view secret,
                         const store::repository& r)
{
    const auto host = public_url.find("://") + 3;
    std::string out = "rest:";
    out.append(public_url.substr(0, host)).append(user).append(":").append(secret).append("@");
    return out.append(public_url.substr(host)).append(repository_path(r));
}

std::string repository_address(std::string_view public_url, const crypto::master_key& key, const store::repository& r)
{
    return address_with(public_url, r.device_id.text, repository_secret(key, r), r);
}

} // namespace xentz::control
