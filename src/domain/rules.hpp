// What the rules of a policy have in common: how a broken one is told.
#pragma once

#include "base/fault.hpp"

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace xentz::domain::rules {

// "FIELD RULE": invalid_value.
base::result<> wrong(std::string_view field, std::string_view rule);

// "LIST[I]"
std::string at(std::string_view list, std::size_t i);

// "FIELD must be a, b or c, not "WORD"" where the word is none of them.
base::result<> check_word(std::string_view field, std::string_view word, std::initializer_list<std::string_view> known);

} // namespace xentz::domain::rules
