#include "control/policy_file.hpp"

#include "wire/unknown_key.hpp"

namespace xentz::control {
base::result<domain::policy> read_policy(std::string_view text)
{
    auto value = wire::parse_json(text);
    if (!value) return base::failed(value);
    auto policy = wire::from_json<domain::policy>(*value);
    if (!policy) return policy;
    const auto& top = value->as_object();
    // What GET /v1/config says besides: a policy may be made from such an answer.
    const auto filled_in = {std::string_view{"version"}, std::string_view{"enabled"}, std::string_view{"backup_now"},
                            std::string_view{"restic.repository"}, std::string_view{"restic.protection"}};
    if (const auto key = wire::find_unknown_key<domain::policy>(*value, filled_in))
        return base::fail(base::fault_code::invalid_value, *key + ": no policy has such a key",
                          "See docs/policy.md for the keys");
    const auto defaults = domain::default_policy();
    const auto missing = [&](std::string_view part) {
        const auto* v = top.if_contains(part);
        return v == nullptr || v->is_null();
    };
    if (missing("schedule")) policy->schedule = defaults.schedule;
    if (missing("exclude")) policy->exclude = defaults.exclude;
    if (missing("retention")) policy->retention = defaults.retention;
    if (auto ok = domain::validate(*policy); !ok) return base::failed(ok);
    return policy;
}

} // namespace xentz::control
