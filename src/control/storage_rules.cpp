#include "control/administration.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace xentz::control {
namespace {

using base::fail;
using base::fault_code;
using base::result;

std::unexpected<base::fault> no_setting(std::string_view assignment, bool of_tenant)
{
    return fail(fault_code::usage, "\"" + std::string{assignment} + "\" is no setting",
                std::string{of_tenant ? "Use custody=server, custody-key=PUBLIC, " : "Use "} +
                    "protection=guarded, trash-days=30, quota=500GiB or trash-factor=2" +
                    (of_tenant ? ", or repository-quota=50GiB" : ""));
}

result<std::int64_t> parse_number(std::string_view what, std::string_view text, std::int64_t least, std::int64_t most)
{
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size() && number >= least && number <= most) return number;
    return fail(fault_code::invalid_value, std::string{what} + " must be a number from " + std::to_string(least) +
                                               " to " + std::to_string(most) + ", not \"" + std::string{text} + "\"");
}

// Parses into `slot`; "default" empties it.
template <class Parse>
result<> assign(std::optional<std::int64_t>& slot, std::string_view value, const Parse& parse)
{
    if (value == "default") {
        slot.reset();
        return {};
    }
    auto number = parse(value);
    if (!number) return base::failed(number);
    slot = *number;
    return {};
}

result<> assign_mode(std::optional<std::string>& slot, std::string_view value)
{
    constexpr std::array<std::string_view, 3> modes{"full", "append-only", "guarded"};
    if (value == "default") {
        slot.reset();
        return {};
    }
    for (const auto mode : modes)
        if (value == mode) {
            slot = std::string{mode};
            return {};
        }
    return fail(fault_code::invalid_value,
                "protection must be full, append-only or guarded, not \"" + std::string{value} + "\"");
}

} // namespace

result<std::int64_t> parse_size(std::string_view text)
{
    struct unit {
        std::string_view name;
        std::int64_t bytes;
    };
    constexpr std::array<unit, 10> units{{{"", 1},
                                          {"B", 1},
                                          {"KiB", std::int64_t{1} << 10U},
                                          {"MiB", std::int64_t{1} << 20U},
                                          {"GiB", std::int64_t{1} << 30U},
                                          {"TiB", std::int64_t{1} << 40U},
                                          {"kB", 1'000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000},
                                          {"TB", 1'000'000'000'000}}};
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    auto rest = text.substr(static_cast<std::size_t>(end - text.data()));
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    if (error == std::errc{} && number >= 0)
        for (const auto& u : units)
            if (rest == u.name && number <= std::numeric_limits<std::int64_t>::max() / 100 / u.bytes)
                return number * u.bytes;
    return fail(fault_code::invalid_value, "\"" + std::string{text} + "\" is no size",
                "Use a number with KiB, MiB, GiB or TiB, for example 500GiB");
}

result<> set_rule(administrator& a, const std::string& owner, bool of_tenant, std::string_view assignment)
{
    const auto equals = assignment.find('=');
    if (equals == std::string_view::npos) return no_setting(assignment, of_tenant);
    const auto key = assignment.substr(0, equals);
    const auto value = assignment.substr(equals + 1);
    auto objects = a.store.objects();
    auto rule = objects.rule(owner).value_or(store::storage_rule{.owner = owner});
    result<> done;
    if (key == "protection")
        done = assign_mode(rule.mode, value);
    else if (key == "trash-days")
        done = assign(rule.trash_days, value, [](auto v) { return parse_number("trash-days", v, 1, 3650); });
    else if (key == "trash-factor")
        done = assign(rule.trash_factor, value, [](auto v) { return parse_number("trash-factor", v, 1, 100); });
    else if (key == "quota")
        done = assign(rule.quota_bytes, value, parse_size);
    else if (key == "repository-quota" && of_tenant)
        done = assign(rule.repository_quota_bytes, value, parse_size);
    else
        return no_setting(assignment, of_tenant);
    if (done) objects.put_rule(rule);
    return done;
}

} // namespace xentz::control
