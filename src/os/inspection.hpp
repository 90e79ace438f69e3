// Looking at a machine without changing it: is there room, may this user read that, whose is it. Symlinks are
// followed. Threads: pure functions of the file system.
#pragma once

#include "base/fault.hpp"

#include <cstdint>
#include <filesystem>

namespace xentz::os {

// What this user may still write to the disk of that folder, in bytes; not_found or file_failed.
base::result<std::uint64_t> free_bytes(const std::filesystem::path& folder);

enum class readability { readable, missing, denied };
// Of a folder: whether it may be listed and entered.
readability may_read(const std::filesystem::path& p);

// False also where it cannot be told.
bool owned_by_this_user(const std::filesystem::path& p);

} // namespace xentz::os
