// What a program may draw on: whether an output is a terminal, how wide it is, and whether colours are wanted
// (no-color.org: not where NO_COLOR is set to anything; not on a "dumb" terminal).
#pragma once

#include <cstddef>

namespace xentz::os {

enum class output { standard, error };

bool is_terminal(output o);
// Columns; 80 where it is not known.
std::size_t terminal_width(output o);
bool wants_colour(output o);

} // namespace xentz::os
