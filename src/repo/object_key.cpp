#include "repo/blob_store.hpp"
#include "repo/target.hpp"

#include "base/hex.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace xentz::repo {
namespace {

using enum object_type;

constexpr auto types = std::to_array<std::pair<object_type, std::string_view>>({
    {config, "config"},
    {data, "data"},
    {keys, "keys"},
    {locks, "locks"},
    {snapshots, "snapshots"},
    {index, "index"},
});

} // namespace

std::string_view name(object_type t) { return types[static_cast<std::size_t>(t)].second; }

std::optional<object_type> parse_object_type(std::string_view text)
{
    const auto* at = std::ranges::find(types, text, [](const auto& t) { return t.second; });
    if (at == types.end()) return std::nullopt;
    return at->first;
}

base::result<> check_repository_id(std::string_view repository_id)
{
    if (is_address_segment(repository_id)) return {};
    return base::fail(base::fault_code::invalid_value,
                      "a repository's id is 1 to 64 of the characters a-z 0-9 . _ - and neither . nor ..");
}

base::result<> check_key(const object_key& key)
{
    if (auto ok = check_repository_id(key.repository_id); !ok) return ok;
    const bool fits = key.type == config ? key.name.empty() : base::is_sha256_hex(key.name);
    if (fits) return {};
    return base::fail(base::fault_code::invalid_value,
                      "the name of an object is 64 lower-case hex digits, and the config has none");
}

} // namespace xentz::repo
