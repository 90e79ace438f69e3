// The ids of the fleet. Prefixes: ten_, dev_, repo_, tok_, rep_, cred_.
#pragma once

#include "base/id.hpp"

namespace xentz::domain {

using tenant_id = base::id<struct tenant_tag>;
using device_id = base::id<struct device_tag>;
using repository_id = base::id<struct repository_tag>;
using credential_id = base::id<struct credential_tag>;
using token_id = base::id<struct token_tag>;

} // namespace xentz::domain
