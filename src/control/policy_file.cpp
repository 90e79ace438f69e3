#include "control/policy_file.hpp"

#include "wire/json.hpp"

#include <algorithm>
#include <array>

namespace xentz::control {
namespace {

namespace json = wire::json;

template <class T>
bool knows(std::string_view key)
{
    bool found = false;
    boost::mp11::mp_for_each<wire::detail::members<T>>([&](auto member) { found = found || key == member.name; });
    return found;
}

template <class T>
std::optional<std::string> unknown_key(const json::object& object, const std::string& where,
                                       std::initializer_list<std::string_view> filled_in_by_server = {})
{
    for (const auto& [key, value] : object)
        if (!knows<T>(key) &&
            std::ranges::find(filled_in_by_server, std::string_view{key}) == filled_in_by_server.end())
            return where + std::string{key};
    return std::nullopt;
}

std::optional<std::string> any_unknown_key(const json::object& top)
{
    if (auto key = unknown_key<domain::policy>(top, "", {"version", "enabled", "backup_now"})) return key;
    const auto object_at = [&](std::string_view name) -> const json::object* {
        const auto* v = top.if_contains(name);
        return v == nullptr ? nullptr : v->if_object();
    };
    if (const auto* o = object_at("schedule"))
        if (auto key = unknown_key<domain::schedule>(*o, "schedule.")) return key;
    if (const auto* o = object_at("restic"))
        if (auto key = unknown_key<domain::restic_options>(*o, "restic.", {"repository", "protection"})) return key;
    if (const auto* o = object_at("retention"))
        if (auto key = unknown_key<domain::retention>(*o, "retention.")) return key;
    if (const auto* o = object_at("check"))
        if (auto key = unknown_key<domain::check_options>(*o, "check.")) return key;
    return std::nullopt;
}

} // namespace

base::result<domain::policy> read_policy(std::string_view text)
{
    auto value = wire::parse_json(text);
    if (!value) return base::failed(value);
    auto policy = wire::from_json<domain::policy>(*value);
    if (!policy) return policy;
    const auto& top = value->as_object();
    if (const auto key = any_unknown_key(top))
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
