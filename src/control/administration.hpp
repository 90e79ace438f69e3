// What an administrator does to the fleet, from the command line today and over HTTP later: each function checks
// its input, does one thing, and says what came of it.
#pragma once

#include "control/services.hpp"
#include "control/views.hpp"
#include "domain/policy.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::control {

// Works on the store alone, also while a server serves.
struct administrator {
    store::fleet_store& store;
    const base::clock& clock;
    base::random_source& random;
};

// With its default policy. conflict where the name is taken.
base::result<tenant_view> create_tenant(administrator& a, std::string_view name);
// not_found with the names there are.
base::result<store::tenant> tenant_named(administrator& a, std::string_view name_or_id);
// Where `name` is empty: the only tenant there is.
base::result<store::tenant> tenant_or_only(administrator& a, std::string_view name_or_id);
// KEY=VALUE; keys: custody (server, sealed, device), custody-key, and those of set_rule. Custody is of repositories to
// come; one that is there keeps its own.
base::result<> set_tenant(administrator& a, const store::tenant& t, std::string_view assignment);
// How repositories are kept, of a tenant or of one repository. KEY=VALUE; keys: protection, trash-days, quota,
// trash-factor, of a tenant also repository-quota. The value "default" takes a setting back.
base::result<> set_rule(administrator& a, const std::string& owner, bool of_tenant, std::string_view assignment);
// "500GiB", "20 GB", "1048576": bytes.
base::result<std::int64_t> parse_size(std::string_view text);

struct new_token {
    std::int64_t uses = 1;                             // 1 to 100000
    std::chrono::seconds ttl = std::chrono::hours{24}; // 1 minute to 1 year
    std::string policy = "default";
};
struct created_token {
    std::string id;
    std::string token; // shown once
    base::time_point expires_at;
};
BOOST_DESCRIBE_STRUCT(created_token, (), (id, token, expires_at))
base::result<created_token> create_token(administrator& a, const store::tenant& t, const new_token& n);

struct new_recovery_token {
    std::chrono::seconds ttl = std::chrono::hours{24}; // 1 minute to 1 year
    bool allow_take_over = false;
};
// For the repository of that device, once. not_found where it has none: another machine has taken it over.
base::result<created_token> create_recovery_token(administrator& a, const store::device& lost,
                                                  const new_recovery_token& n);

// "90s", "30m", "24h", "7d".
base::result<std::chrono::seconds> parse_ttl(std::string_view text);

base::result<> apply_policy(administrator& a, const store::tenant& t, std::string_view name, std::string_view text);
base::result<> assign_policy(administrator& a, std::string_view name, const domain::device_id& device);

base::result<store::device> device_with_id(administrator& a, std::string_view id);

struct created_user {
    std::string email;
    std::string password; // shown once
};
BOOST_DESCRIBE_STRUCT(created_user, (), (email, password))
base::result<created_user> create_user(administrator& a, std::string_view email);
// A new generated password. not_found where there is no such user.
base::result<created_user> reset_password(administrator& a, std::string_view email);

} // namespace xentz::control
