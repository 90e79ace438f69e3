#include "os/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
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

// The terminal that this process belongs to, whatever its input and output are. What is typed is not shown as long as
// this lives.
class terminal {
public:
    terminal() : descriptor_{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)}
    {
        there_ = descriptor_ >= 0 && ::tcgetattr(descriptor_, &before_) == 0;
        if (!there_) return;
        auto hidden = before_;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(descriptor_, TCSAFLUSH, &hidden);
    }
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;
    ~terminal()
    {
        if (there_) ::tcsetattr(descriptor_, TCSAFLUSH, &before_);
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    bool is_there() const { return there_; }

    void say(std::string_view text) const
    {
        // A question that cannot be shown is answered by nobody, which the reading tells.
        while (!text.empty()) {
            const auto n = ::write(descriptor_, text.data(), text.size());
            if (n <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    std::optional<std::string> hidden_line() const
    {
        constexpr std::size_t longest = 4096;
        std::string line;
        for (char c = 0; line.size() < longest;) {
            const auto n = ::read(descriptor_, &c, 1);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return std::nullopt;
            if (c == '\n') return line;
            line += c;
        }
        return std::nullopt;
    }

private:
    int descriptor_;
    bool there_ = false;
    termios before_ = {};
};

} // namespace

bool is_terminal(output o) { return ::isatty(descriptor_of(o)) == 1; }

std::size_t terminal_width(output o)
{
    winsize size = {};
    if (::ioctl(descriptor_of(o), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual_width;
    return size.ws_col;
}

base::result<std::string> ask_secret(const std::string& question)
{
    using base::fault_code;
    const terminal t;
    if (!t.is_there())
        return base::fail(fault_code::usage, "there is no terminal to ask on", "Name a file that holds the answer");
    t.say(question);
    const auto answer = t.hidden_line();
    t.say("\n");
    if (!answer) return base::fail(fault_code::interrupted, "the terminal gave no answer");
    return *answer;
}

bool wants_colour(output o) { return is_terminal(o) && variable("NO_COLOR").empty() && variable("TERM") != "dumb"; }

} // namespace xentz::os
