// The data folder of a server: master.key (0600), xentz.db (unless the database is elsewhere), storage/ (unless
// the storage is elsewhere). The database remembers which key and which storage belong to it.
#pragma once

#include "context.hpp"
#include "crypto/secrets.hpp"
#include "store/fleet_store.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace xentz::apps {

struct installation {
    std::unique_ptr<store::fleet_store> store;
    crypto::master_key key;
    std::string storage_id;
};

// Both become the user that owns the data folder where root calls them, so that nothing that they make is out of the
// server's reach.
//
// config_missing with the remedy where `xentz-server init` has not run, or where the control plane was moved to another
// database; config_invalid where the master key is not the one of the database. What is opened is refused from the
// moment at which it is moved (store/move_mark.hpp); `open` is for the export, which moves it.
enum class if_moved_away { refuse, open };
base::result<installation> open_installation(const context& c, if_moved_away moved = if_moved_away::refuse);

// The database alone: what most administration needs.
base::result<std::unique_ptr<store::fleet_store>> open_store(const context& c,
                                                             if_moved_away moved = if_moved_away::refuse);

std::string database_address(const context& c);
std::filesystem::path master_key_path(const context& c);
// Nothing where there is none.
base::result<std::optional<crypto::master_key>> read_master_key(const context& c);

// Settings in the database.
constexpr auto setting_storage_id = "storage_id";
constexpr auto setting_key_fingerprint = "master_key_fingerprint";
constexpr auto setting_initialised_at = "initialised_at";
constexpr auto setting_compared_at = "compared_at"; // when the last comparison of journal and storage began

} // namespace xentz::apps
