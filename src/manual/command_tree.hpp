// A command line as data: what its CLI11 description says, for the man page and the shells' completions. So the one
// description of the options is the one that parses them.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace xentz::manual {

struct option {
    std::vector<std::string> names; // "--target", "-t"
    std::string value;              // "FILE"; empty: it takes none
    std::string description;
    std::string standard; // what holds where it is not given; empty: nothing
    bool required = false;
};

struct argument {
    std::string name;
    std::string description;
    bool required = false;
    bool repeatable = false;
};

struct command {
    std::string name;
    std::string description;
    std::string footer;
    std::vector<option> options; // those of the top hold below it as well
    std::vector<argument> arguments;
    std::vector<command> commands;
};

// Without what is hidden (an empty group).
command read_tree(const CLI::App& app);

} // namespace xentz::manual
