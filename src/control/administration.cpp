#include "control/administration.hpp"

#include "control/passwords.hpp"
#include "control/policy_file.hpp"
#include "crypto/sealed_box.hpp"
#include "domain/names.hpp"

#include <algorithm>
#include <charconv>

namespace xentz::control {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::chrono::seconds shortest_ttl = std::chrono::minutes{1};
constexpr std::chrono::seconds longest_ttl = std::chrono::days{365};

std::string joined_names(const std::vector<store::tenant>& tenants)
{
    std::string names;
    for (const auto& t : tenants) names += (names.empty() ? "" : ", ") + t.name;
    return names;
}

result<> set_custody_key(administrator& a, const store::tenant& t, std::string_view value)
{
    if (!crypto::is_public_key(value))
        return fail(fault_code::invalid_value, "custody-key must be a public key of 64 hex digits",
                    "`xentz-server custody keygen` makes one");
    a.store.set_custody_key(t.id, std::string{value});
    return {};
}

result<> check_ttl(std::chrono::seconds ttl)
{
    if (ttl >= shortest_ttl && ttl <= longest_ttl) return {};
    return fail(fault_code::invalid_value, "--ttl must be 1 minute to 1 year");
}

} // namespace

result<tenant_view> create_tenant(administrator& a, std::string_view name)
{
    if (auto ok = domain::check_name("the tenant's name", name); !ok) return base::failed(ok);
    const store::tenant t{.id = base::make_id<domain::tenant_id>("ten", a.random),
                          .name = std::string{name},
                          .custody = "server",
                          .created_at = a.clock.now()};
    if (!a.store.add_tenant(t, wire::encode(domain::default_policy())))
        return fail(fault_code::conflict, "there is a tenant named " + t.name + " already");
    return view(t, a.store);
}

result<store::tenant> tenant_named(administrator& a, std::string_view name_or_id)
{
    if (auto t = a.store.find_tenant(name_or_id)) return std::move(*t);
    const auto names = joined_names(a.store.tenants());
    return fail(fault_code::not_found, "there is no tenant named " + std::string{name_or_id},
                names.empty() ? "Create one with `xentz-server tenant create NAME`" : "The tenants are: " + names);
}

result<store::tenant> tenant_or_only(administrator& a, std::string_view name_or_id)
{
    if (!name_or_id.empty()) return tenant_named(a, name_or_id);
    auto all = a.store.tenants();
    if (all.size() == 1) return std::move(all.front());
    if (all.empty())
        return fail(fault_code::not_found, "there is no tenant yet",
                    "Create one with `xentz-server tenant create NAME`");
    return fail(fault_code::usage, "there are several tenants", "Name one with --tenant: " + joined_names(all));
}

result<> set_tenant(administrator& a, const store::tenant& t, std::string_view assignment)
{
    const auto equals = assignment.find('=');
    const auto key = assignment.substr(0, equals);
    const auto value = equals == std::string_view::npos ? "" : assignment.substr(equals + 1);
    if (key == "custody-key") return set_custody_key(a, t, value);
    if (equals == std::string_view::npos || key != "custody") return set_rule(a, t.id.text, true, assignment);
    if (value != custody_server && value != custody_sealed && value != custody_device)
        return fail(fault_code::invalid_value,
                    "custody must be server, sealed or device, not \"" + std::string{value} + "\"");
    const auto now = a.store.find_tenant(t.id.text);
    if (value == custody_sealed && (!now || !now->custody_key))
        return fail(fault_code::invalid_value, "tenant " + t.name + " has no key that passwords could be sealed to",
                    "Make one with `xentz-server custody keygen`, and set custody-key=PUBLIC before custody=sealed");
    a.store.set_custody(t.id, std::string{value});
    return {};
}

result<std::chrono::seconds> parse_ttl(std::string_view text)
{
    const auto wrong = [&] {
        return fail(fault_code::invalid_value, "\"" + std::string{text} + "\" is no duration from 1 minute to 1 year",
                    "Use a number with s, m, h or d, for example 24h");
    };
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end + 1 != text.data() + text.size() || number < 0 || number > 100'000'000)
        return wrong();
    std::chrono::seconds ttl{};
    switch (*end) {
    case 's':
        ttl = std::chrono::seconds{number};
        break;
    case 'm':
        ttl = std::chrono::minutes{number};
        break;
    case 'h':
        ttl = std::chrono::hours{number};
        break;
    case 'd':
        ttl = std::chrono::days{number};
        break;
    default:
        return wrong();
    }
    if (ttl < shortest_ttl || ttl > longest_ttl) return wrong();
    return ttl;
}

result<created_token> create_token(administrator& a, const store::tenant& t, const new_token& n)
{
    if (n.uses < 1 || n.uses > 100'000) return fail(fault_code::invalid_value, "--uses must be 1 to 100000");
    if (auto ok = check_ttl(n.ttl); !ok) return base::failed(ok);
    if (!a.store.find_policy(t.id, n.policy))
        return fail(fault_code::not_found, "tenant " + t.name + " has no policy named " + n.policy,
                    "See `xentz-server policy list`");
    const auto token = crypto::make_token("xit_", a.random);
    store::install_token row;
    row.id = base::make_id<domain::token_id>("tok", a.random);
    row.tenant_id = t.id;
    row.policy_name = n.policy;
    row.token_hash = crypto::token_hash(token);
    row.uses_total = n.uses;
    row.uses_left = n.uses;
    row.created_at = a.clock.now();
    row.expires_at = row.created_at + n.ttl;
    a.store.add_token(row);
    return created_token{.id = row.id.text, .token = token, .expires_at = row.expires_at};
}

result<created_token> create_recovery_token(administrator& a, const store::device& lost, const new_recovery_token& n)
{
    if (auto ok = check_ttl(n.ttl); !ok) return base::failed(ok);
    const auto r = a.store.repository_of(lost.id);
    if (!r) {
        const auto successor = a.store.successor_of(lost.id);
        return fail(fault_code::not_found, "the device " + lost.id.text + " has no repository any more",
                    successor ? "The device " + successor->text + " has taken it over: make the token for that one"
                              : "See `xentz-server repo list`");
    }
    const auto token = crypto::make_token("xrt_", a.random);
    const store::recovery_token row{.id = base::make_id<domain::token_id>("tok", a.random),
                                    .device_id = lost.id,
                                    .repository_id = r->id,
                                    .token_hash = crypto::token_hash(token),
                                    .allow_take_over = n.allow_take_over,
                                    .created_at = a.clock.now(),
                                    .expires_at = a.clock.now() + n.ttl,
                                    .revoked_at = {},
                                    .idempotency_key = {},
                                    .credential_id = {},
                                    .successor_id = {}};
    a.store.add_recovery_token(row);
    return created_token{.id = row.id.text, .token = token, .expires_at = row.expires_at};
}

result<> apply_policy(administrator& a, const store::tenant& t, std::string_view name, std::string_view text)
{
    if (auto ok = domain::check_name("the policy's name", name); !ok) return ok;
    auto policy = read_policy(text);
    if (!policy) return base::failed(policy);
    a.store.put_policy(
        {.tenant_id = t.id, .name = std::string{name}, .document = wire::encode(*policy), .updated_at = a.clock.now()});
    return {};
}

result<> assign_policy(administrator& a, std::string_view name, const domain::device_id& device)
{
    const auto d = device_with_id(a, device.text);
    if (!d) return std::unexpected(d.error());
    if (!a.store.find_policy(d->tenant_id, name))
        return fail(fault_code::not_found, "the device's tenant has no policy named " + std::string{name},
                    "See `xentz-server policy list`");
    a.store.set_device_policy(device, name);
    return {};
}

result<store::device> device_with_id(administrator& a, std::string_view id)
{
    if (auto d = a.store.find_device(domain::device_id{std::string{id}})) return std::move(*d);
    return fail(fault_code::not_found, "there is no device " + std::string{id}, "See `xentz-server device list`");
}

result<created_user> create_user(administrator& a, std::string_view email)
{
    const auto at = email.find('@');
    const bool plausible = at != std::string_view::npos && at > 0 && at + 1 < email.size() && email.size() <= 254 &&
                           std::ranges::none_of(email, [](unsigned char c) { return c <= 0x20 || c == 0x7F; });
    if (!plausible) return fail(fault_code::invalid_value, "\"" + std::string{email} + "\" is no e-mail address");
    const auto password = crypto::make_password(a.random).substr(0, 24);
    if (!a.store.add_user({.email = std::string{email},
                           .password_hash = crypto::hash_login_password(password),
                           .created_at = a.clock.now()}))
        return fail(fault_code::conflict, "there is a user " + std::string{email} + " already");
    return created_user{.email = std::string{email}, .password = password};
}

result<created_user> reset_password(administrator& a, std::string_view email)
{
    const auto password = crypto::make_password(a.random).substr(0, 24);
    if (!a.store.set_user_password(email, crypto::hash_login_password(password)))
        return fail(fault_code::not_found, "there is no user " + std::string{email}, "See `xentz-server user list`");
    return created_user{.email = std::string{email}, .password = password};
}

} // namespace xentz::control
