// Completions for the shells: after a command the commands below it, after "-" the options that hold there. Where a
// value or a file is wanted, the shell completes file names.
#pragma once

#include "manual/command_tree.hpp"

namespace xentz::manual {

std::string bash_completion(const command& top);
std::string zsh_completion(const command& top);
std::string fish_completion(const command& top);

} // namespace xentz::manual
