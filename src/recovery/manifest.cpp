#include "recovery/manifest.hpp"

#include "wire/json.hpp"

#include <algorithm>

namespace xentz::recovery {
namespace {

using base::fail;
using base::fault_code;
using base::result;
namespace json = wire::json;

// The keys in their order without blanks: how the file is laid out plays no part.
std::string mac_of(const json::object& o, const crypto::master_key& key)
{
    return key.mac("control-copy", wire::print_json(o));
}

// A path out of the folder would let a copy name any file of the host.
bool is_plain(const file_record& r)
{
    return !r.name.empty() && r.name.find('/') == std::string::npos && !r.name.starts_with('.') &&
           r.name.find('\0') == std::string::npos;
}

std::unexpected<base::fault> no_manifest(const std::string& why)
{
    return fail(fault_code::invalid_value, "manifest.json is not one of a copy of a control plane: " + why,
                "Name the folder that `xentz-server backup` or `export` has made, or use another copy");
}

} // namespace

std::string print_manifest(const manifest& m, const crypto::master_key& key)
{
    auto v = wire::to_json(m).get_object();
    v["mac"] = mac_of(v, key);
    return wire::pretty_json(v);
}

result<manifest> read_manifest(std::string_view text)
{
    const auto v = wire::parse_json(text);
    if (!v) return no_manifest(v.error().message);
    const auto* format = v->is_object() ? v->get_object().if_contains("format") : nullptr;
    if (format != nullptr && format->is_int64() && format->get_int64() > copy_format)
        return fail(fault_code::config_invalid, "the copy was made by a newer xentz-server than this one",
                    "Restore it with that version or a later one");
    auto m = wire::from_json<manifest>(*v);
    if (!m) return no_manifest(m.error().message);
    if (m->kind != kind_of_copy && m->kind != kind_of_export) return no_manifest("it is of another kind");
    if (!is_plain(m->database) || !is_plain(m->master_key) || (m->settings && !is_plain(*m->settings)))
        return no_manifest("it names a file outside of its folder");
    return m;
}

bool is_genuine(std::string_view manifest_text, const crypto::master_key& key)
{
    auto v = wire::parse_json(manifest_text);
    if (!v || !v->is_object()) return false;
    auto& o = v->get_object();
    const auto* mac = o.if_contains("mac");
    if (mac == nullptr || !mac->is_string()) return false;
    const std::string claimed{mac->get_string()};
    // Not `erase`, which puts the last key in the place of the one that goes.
    json::object rest;
    for (const auto& [name, value] : o)
        if (name != "mac") rest[name] = value;
    return crypto::equal(mac_of(rest, key), claimed);
}

} // namespace xentz::recovery
