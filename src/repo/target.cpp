#include "repo/target.hpp"

#include "base/hex.hpp"

#include <algorithm>

namespace xentz::repo {
namespace {

bool is_segment_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// Cuts "<segment>/" off the front of `path`.
std::optional<std::string> take_segment(std::string_view& path)
{
    const auto end = path.find('/');
    if (end == std::string_view::npos || !is_address_segment(path.substr(0, end))) return std::nullopt;
    std::string out{path.substr(0, end)};
    path.remove_prefix(end + 1);
    return out;
}

} // namespace

bool is_address_segment(std::string_view text)
{
    return !text.empty() && text.size() <= 64 && text != "." && text != ".." &&
           std::ranges::all_of(text, is_segment_character);
}

std::optional<located> parse_address(std::string_view path)
{
    if (!path.starts_with('/')) return std::nullopt;
    path.remove_prefix(1);
    auto tenant = take_segment(path);
    if (!tenant) return std::nullopt;
    auto device = take_segment(path);
    if (!device) return std::nullopt;
    auto user = take_segment(path);
    if (!user) return std::nullopt;
    return located{{std::move(*tenant), std::move(*device), std::move(*user)}, path};
}

resource parse_resource(std::string_view rest)
{
    if (rest.empty()) return {.kind = resource_kind::repository};
    if (rest == name(object_type::config)) return {.kind = resource_kind::config};
    const auto slash = rest.find('/');
    const auto type = parse_object_type(rest.substr(0, slash));
    if (!type || type == object_type::config) return {};
    const auto text = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    if (text.empty()) return {.kind = resource_kind::list, .type = *type};
    if (!base::is_sha256_hex(text)) return {.kind = resource_kind::bad_name, .type = *type};
    return {.kind = resource_kind::object, .type = *type, .name = std::string{text}};
}

} // namespace xentz::repo
