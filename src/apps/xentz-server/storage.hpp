// The storage that --storage names, opened or made: a folder on a disk, or a bucket of an object store.
#pragma once

#include "context.hpp"
#include "repo/storage.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace xentz::apps {

// What can be said of --storage without a look at the storage itself: usage, or why the address is none.
base::result<> check_storage_option(const context& c);

// Touches neither disk nor network: a storage that is away may come back. It must not outlive `c`.
base::result<std::unique_ptr<repo::storage>> open_storage(context& c, const std::string& storage_id);

// Gives the place the id of the installation's storage; conflict where it has another one.
base::result<> make_storage(context& c, const std::string& storage_id);

// The same for a storage at another address.
base::result<> check_storage_address(const context& c, const std::string& address);
base::result<std::unique_ptr<repo::storage>> open_storage_at(context& c, const std::string& address,
                                                             const std::string& storage_id);
base::result<> make_storage_at(context& c, const std::string& address, const std::string& storage_id);
// What --storage names, as an address.
std::string storage_address(const context& c);

// Whether several servers may serve it at once: one that is a folder belongs to one of them.
bool is_shared_address(std::string_view address);
bool is_shared_storage(const context& c); // of --storage

// Where bytes that arrive take up room of this machine: the storage itself, or the folder in which uploads wait.
std::filesystem::path receiving_folder(const context& c);

} // namespace xentz::apps
