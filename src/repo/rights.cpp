#include "repo/rights.hpp"

namespace xentz::repo {

std::string_view name(protection p)
{
    switch (p) {
    case protection::full:
        return "full";
    case protection::append_only:
        return "append-only";
    case protection::guarded:
        break;
    }
    return "guarded";
}

std::optional<protection> parse_protection(std::string_view text)
{
    for (const auto p : {protection::full, protection::append_only, protection::guarded})
        if (text == name(p)) return p;
    return std::nullopt;
}

verdict judge(protection p, credential c, const intent& a)
{
    if (a.what == operation::read || a.type == object_type::locks) return verdict::allowed;
    if (c == credential::read_only) return verdict::read_only;
    if (p != protection::append_only || c == credential::maintenance) return verdict::allowed;
    if (a.what == operation::remove) return verdict::append_only;
    // Whoever holds the device's secret must not be able to let others in.
    const bool changes_keys = a.what == operation::store && a.type == object_type::keys && a.initialised;
    return changes_keys ? verdict::append_only : verdict::allowed;
}

} // namespace xentz::repo
