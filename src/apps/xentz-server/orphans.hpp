// Repositories that lie on the storage and belong to no device of the database: after a restore those of the devices
// that had enrolled since the copy. The server leaves them alone; restic reads them with their passwords.
#pragma once

#include "installation.hpp"

#include <string>
#include <vector>

namespace xentz::apps {

// Ids, sorted. repository_unavailable where the storage is not there.
base::result<std::vector<std::string>> repositories_without_device(context& c, store::fleet_store& store,
                                                                   const std::string& storage_id);

} // namespace xentz::apps
