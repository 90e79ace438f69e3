#include "control/repository_credentials.hpp"

#include "control/addresses.hpp"

namespace xentz::control {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::chrono::seconds longest_maintenance = std::chrono::days{7};

result<> check_maintenance(std::chrono::seconds duration)
{
    if (duration <= longest_maintenance) return {};
    return fail(fault_code::invalid_value, "a maintenance lasts for 7 days at most",
                "Give a shorter time; it can be begun again");
}

std::string state_of(const store::repository_credential& c, base::time_point now)
{
    if (c.revoked_at) return "revoked";
    return c.expires_at <= now ? "expired" : "active";
}

} // namespace

std::string credential_secret(const crypto::master_key& key, const store::repository& r,
                              const store::repository_credential& c)
{
    return key.credential_secret(r.id.text, static_cast<std::uint32_t>(r.generation), c.id.text, c.kind);
}

result<made_credential> make_credential(administrator& a, const crypto::master_key& key, const store::repository& r,
                                        const new_credential& n, std::string_view public_url)
{
    if (n.kind != read_only_kind && n.kind != maintenance_kind)
        return fail(fault_code::invalid_value, "a credential is read-only or maintenance, not \"" + n.kind + "\"");
    if (n.kind == maintenance_kind)
        if (auto ok = check_maintenance(n.ttl); !ok) return base::failed(ok);
    const auto now = a.clock.now();
    const store::repository_credential row{.id = base::make_id<domain::credential_id>("cred", a.random),
                                           .repository_id = r.id,
                                           .kind = n.kind,
                                           .reason = n.reason,
                                           .created_at = now,
                                           .expires_at = now + n.ttl,
                                           .revoked_at = {}};
    a.store.add_credential(row);
    made_credential out{.id = row.id.text,
                        .repository_id = r.id.text,
                        .kind = row.kind,
                        .secret = credential_secret(key, r, row),
                        .path = repository_path(r),
                        .repository = {},
                        .expires_at = row.expires_at};
    if (!public_url.empty()) out.repository = address_with(public_url, out.id, out.secret, r);
    return out;
}

std::vector<credential_view> credentials_of(administrator& a, const store::repository& r)
{
    std::vector<credential_view> out;
    for (const auto& c : a.store.credentials(r.id))
        out.push_back({.id = c.id.text,
                       .kind = c.kind,
                       .reason = c.reason,
                       .state = state_of(c, a.clock.now()),
                       .created_at = c.created_at,
                       .expires_at = c.expires_at,
                       .revoked_at = c.revoked_at});
    return out;
}

result<> revoke_credential(administrator& a, const store::repository& r, std::string_view id)
{
    const auto found = a.store.find_credential(id);
    if (!found || found->repository_id != r.id)
        return fail(fault_code::not_found, "the repository has no credential " + std::string{id},
                    "See `xentz-server repo credential list --device " + r.device_id.text + "`");
    a.store.revoke_credential(found->id, a.clock.now());
    return {};
}

result<base::time_point> begin_maintenance(administrator& a, const store::repository& r, std::chrono::seconds duration)
{
    if (auto ok = check_maintenance(duration); !ok) return base::failed(ok);
    const auto until = a.clock.now() + duration;
    a.store.objects().set_maintenance(r.id, until);
    return until;
}

void end_maintenance(administrator& a, const store::repository& r)
{
    a.store.objects().set_maintenance(r.id, std::nullopt);
}

} // namespace xentz::control
