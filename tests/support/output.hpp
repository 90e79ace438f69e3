// Other programs in tests: what a command prints.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>
#include <sys/wait.h>

namespace xentz::test {

// Without the final line break; a command that fails throws.
inline std::string output_of(const std::string& command)
{
    FILE* pipe = ::popen(command.c_str(), "re");
    if (!pipe) throw std::runtime_error("cannot run " + command);
    std::string out;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
    const int status = ::pclose(pipe);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("failed: " + command);
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

} // namespace xentz::test
