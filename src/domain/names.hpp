// Names that people choose and that become part of addresses and file names.
#pragma once

#include "base/fault.hpp"

#include <string_view>

namespace xentz::domain {

// `[a-z0-9._-]{1,64}`, not "." or "..": safe as one segment of a URL and of a path.
bool is_name(std::string_view text);

// The same as a result that says which field is wrong, for example "user_id".
base::result<> check_name(std::string_view field, std::string_view text);

} // namespace xentz::domain
