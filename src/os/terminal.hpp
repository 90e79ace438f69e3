// What a program may draw on: whether an output is a terminal, how wide it is, and whether colours are wanted
// (no-color.org: not where NO_COLOR is set to anything; not on a "dumb" terminal). And a question to whoever sits
// there.
#pragma once

#include "base/fault.hpp"

#include <cstddef>
#include <string>

namespace xentz::os {

enum class output { standard, error };

bool is_terminal(output o);
// Columns; 80 where it is not known.
std::size_t terminal_width(output o);
bool wants_colour(output o);

// Asks a person on the terminal of this process and reads a line that is not shown. usage where there is no terminal,
// interrupted where it ends instead of an answer.
base::result<std::string> ask_secret(const std::string& question);

} // namespace xentz::os
