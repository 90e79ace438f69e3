// Tokens and files as they come from a command line.
#pragma once

#include "agent/environment.hpp"

#include <optional>
#include <string>

namespace xentz::apps {

// The token itself, the first line of a file, or what the environment variable holds; the first that there is. usage
// where there is none, or where the file cannot be read or is empty.
base::result<std::string> read_token(agent::environment& env, const std::string& token, const std::string& file,
                                     const char* variable);

std::optional<std::string> absolute_or_none(const std::string& p);

} // namespace xentz::apps
