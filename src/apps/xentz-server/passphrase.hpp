// The passphrase of a copy, and the recovery sheet: from a file or from whoever sits at the terminal, never from the
// command line, where every user of the machine could read it.
#pragma once

#include "context.hpp"

#include <string>

namespace xentz::apps {

// Without its final line break. Asked for twice where it is to be a new one. usage where there is neither a file nor a
// terminal, or where the two answers differ. The redactor knows it afterwards.
base::result<std::string> read_passphrase(context& c, const std::string& file, bool new_one);

base::result<std::string> read_small_file(context& c, const std::string& file);

} // namespace xentz::apps
