// Where a program says what it does. One line per call, no line breaks, no secrets: implementations pass
// every line through a redactor (base/redactor.hpp). Messages start lower case and name the thing first.
// Threads: implementations may be called from any thread at once.
#pragma once

#include <string_view>

namespace xentz::base {

enum class log_level { debug, info, warning, error };

class logger {
public:
    virtual ~logger() = default;
    virtual void write(log_level level, std::string_view message) = 0;

    void debug(std::string_view message) { write(log_level::debug, message); }
    void info(std::string_view message) { write(log_level::info, message); }
    void warn(std::string_view message) { write(log_level::warning, message); }
    void error(std::string_view message) { write(log_level::error, message); }
};

} // namespace xentz::base
