#include "domain/rules.hpp"

#include <algorithm>

namespace xentz::domain::rules {

base::result<> wrong(std::string_view field, std::string_view rule)
{
    return base::fail(base::fault_code::invalid_value, std::string{field} + " " + std::string{rule});
}

std::string at(std::string_view list, std::size_t i) { return std::string{list} + "[" + std::to_string(i) + "]"; }

base::result<> check_word(std::string_view field, std::string_view word, std::initializer_list<std::string_view> known)
{
    if (std::ranges::find(known, word) != known.end()) return {};
    std::string all;
    for (const auto one : known)
        all += (all.empty() ? "" : one == *(known.end() - 1) ? " or " : ", ") + std::string{one};
    return wrong(field, "must be " + all + ", not \"" + std::string{word} + "\"");
}

} // namespace xentz::domain::rules
