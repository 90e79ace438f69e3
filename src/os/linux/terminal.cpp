#include "os/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace xentz::os {
namespace {

constexpr std::size_t usual_width = 80;

int descriptor_of(output o) { return o == output::standard ? STDOUT_FILENO : STDERR_FILENO; }

std::string_view variable(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

} // namespace

bool is_terminal(output o) { return ::isatty(descriptor_of(o)) == 1; }

std::size_t terminal_width(output o)
{
    winsize size = {};
    if (::ioctl(descriptor_of(o), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual_width;
    return size.ws_col;
}

bool wants_colour(output o) { return is_terminal(o) && variable("NO_COLOR").empty() && variable("TERM") != "dumb"; }

} // namespace xentz::os
