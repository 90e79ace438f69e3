#include "control/policy_file.hpp"

#include "wire/json.hpp"

#include <type_traits>
#include <utility>

namespace xentz::control {
namespace {

namespace json = wire::json;

// What GET /v1/config says besides: a policy may be made from such an answer.
template <class T>
bool is_filled_in_by_server(std::string_view key)
{
    if constexpr (std::is_same_v<T, domain::policy>) return key == "version" || key == "enabled" || key == "backup_now";
    if constexpr (std::is_same_v<T, domain::restic_options>) return key == "repository" || key == "protection";
    return false;
}

template <class T>
std::optional<std::string> unknown_key(const json::value& v, const std::string& where);

template <class T>
std::optional<std::string> unknown_key_in_object(const json::object& object, const std::string& where)
{
    std::optional<std::string> found;
    for (const auto& [key, value] : object) {
        bool known = is_filled_in_by_server<T>(key);
        boost::mp11::mp_for_each<wire::detail::members<T>>([&](auto member) {
            if (found || key != member.name) return;
            using type = std::remove_reference_t<decltype(std::declval<T&>().*member.pointer)>;
            known = true;
            found = unknown_key<type>(value, where + member.name);
        });
        if (!known) found = where + std::string{key};
        if (found) break;
    }
    return found;
}

// The first key that this program does not know, in the whole of a document that can be read as a T.
template <class T>
std::optional<std::string> unknown_key(const json::value& v, const std::string& where)
{
    if constexpr (wire::detail::is_optional<T>) {
        return unknown_key<typename T::value_type>(v, where);
    } else if constexpr (wire::detail::is_vector<T>) {
        if (!v.is_array()) return std::nullopt;
        for (std::size_t i = 0; i < v.get_array().size(); ++i)
            if (auto key = unknown_key<typename T::value_type>(v.get_array()[i], where + "[" + std::to_string(i) + "]"))
                return key;
    } else if constexpr (wire::detail::described_struct<T>) {
        if (v.is_object()) return unknown_key_in_object<T>(v.get_object(), where.empty() ? where : where + ".");
    }
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
    if (const auto key = unknown_key<domain::policy>(*value, ""))
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
