// The scripts of db/migrations/ in their order, as the build found them.
#pragma once

#include "sql/database.hpp"

#include <vector>

namespace xentz::store {

std::vector<sql::database::script> migrations();

} // namespace xentz::store
