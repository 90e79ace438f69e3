#include "repo/trash_store.hpp"

#include "base/hex.hpp"

#include <charconv>

namespace xentz::repo {

using base::fail;
using base::fault_code;

base::result<> check_entry(const trash_entry& e)
{
    if (auto ok = check_key(e.key); !ok) return ok;
    const bool named = e.key.type == object_type::config || e.key.name == e.hash;
    if (named && base::is_sha256_hex(e.hash) && e.place > 0) return {};
    return fail(fault_code::invalid_value, "an entry of the trash needs a place and the hash of its bytes");
}

std::string entry_name(const trash_entry& e)
{
    return std::to_string(e.place) + "-" + std::string{name(e.key.type)} + "-" + e.hash;
}

std::optional<trash_entry> parse_entry(std::string_view repository_id, std::string_view name)
{
    trash_entry e;
    const auto first = name.find('-');
    const auto last = name.rfind('-');
    if (first == std::string_view::npos || first == last) return std::nullopt;
    const auto number = name.substr(0, first);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), e.place);
    const auto type = parse_object_type(name.substr(first + 1, last - first - 1));
    e.hash = name.substr(last + 1);
    if (error != std::errc{} || end != number.data() + number.size() || !type) return std::nullopt;
    e.key = {std::string{repository_id}, *type, *type == object_type::config ? std::string{} : e.hash};
    if (!check_entry(e)) return std::nullopt;
    return e;
}

} // namespace xentz::repo
