#include "domain/names.hpp"

#include <algorithm>

namespace xentz::domain {

bool is_name(std::string_view text)
{
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= 64 && text != "." && text != ".." && std::ranges::all_of(text, allowed);
}

base::result<> check_name(std::string_view field, std::string_view text)
{
    if (is_name(text)) return {};
    return base::fail(base::fault_code::invalid_value,
                      std::string{field} + " must be 1 to 64 of the characters a-z 0-9 . _ - and not \".\" or \"..\"");
}

} // namespace xentz::domain
