// This process as a service of its machine.
#pragma once

#include "base/fault.hpp"

#include <filesystem>

namespace xentz::os {

// Tells the service manager that has started this process what it is about (sd_notify(3)); nothing happens where none
// has. Threads: any.
void notify_ready();
void notify_stopping();

// As root, becomes the user that owns `path`, with that user's groups, for the rest of this process: what it makes
// from here on is that user's. Nothing happens where this is not root, where nothing is at `path`, and where it is
// root's. Threads: changes all of them. Errors: config_invalid where that user is not in the user database.
base::result<> become_owner_of(const std::filesystem::path& path);

} // namespace xentz::os
