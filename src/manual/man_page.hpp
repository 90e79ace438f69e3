// A manual page in the roff language of man(7), section 1.
#pragma once

#include "manual/command_tree.hpp"

namespace xentz::manual {

std::string man_page(const command& top, const std::string& version);

} // namespace xentz::manual
