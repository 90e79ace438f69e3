// Reading a policy as an administrator writes it: the JSON of GET /v1/config without what the server fills in.
// A part that is missing keeps the default policy's; a part that is there means exactly what it says. A key that
// nobody knows is an error: a misspelt rule must not be dropped in silence.
#pragma once

#include "base/fault.hpp"
#include "domain/policy.hpp"

#include <string_view>

namespace xentz::control {

base::result<domain::policy> read_policy(std::string_view text);

} // namespace xentz::control
