// The hidden command `manual FORM`: prints a program's man page or a shell's completion, made from the very description
// that the program parses its command line by. The build calls it and keeps the results for packages.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace xentz::manual {

// Last of all: what is added to `app` later would be missing. The command ends the parsing with CLI::Success.
void add_manual_command(CLI::App& app, const std::string& version);

} // namespace xentz::manual
