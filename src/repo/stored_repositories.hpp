// Which repositories lie on a storage, whoever they belong to. Threads: functions of the file system only.
#pragma once

#include "base/fault.hpp"
#include "os/files.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::repo {

// Their ids, sorted. repository_unavailable where `root` is not the storage with this id.
base::result<std::vector<std::string>> stored_repositories(os::files& fs, const std::filesystem::path& root,
                                                           std::string_view storage_id);

} // namespace xentz::repo
