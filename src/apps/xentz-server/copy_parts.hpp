// What `backup` and `export`, and `restore` and `import`, have in common: what goes into a copy of the control plane,
// and how what comes out of one is put into a data folder. What only root may read is read before this process becomes
// the user that the data belongs to: passphrases, the config file, a recovery sheet.
#pragma once

#include "context.hpp"
#include "installation.hpp"
#include "recovery/control_copy.hpp"

#include <optional>
#include <string>

namespace xentz::apps {

struct copy_input {
    std::string passphrase;
    std::optional<recovery::settings_file> settings; // the config file, where one is in use
};
// Asks for the passphrase twice where `passphrase_file` is empty.
base::result<copy_input> read_copy_input(context& c, const std::string& passphrase_file);

recovery::copy_parts make_copy_parts(context& c, installation& home, copy_input input);

std::filesystem::path folder_path(const std::string& folder);

// The recovery sheet where one is named, else the passphrase: from its file, or asked for.
base::result<recovery::unlocking> read_unlocking(context& c, const std::string& passphrase_file,
                                                 const std::string& sheet_file);

// Whether there is a master key. One that is there already is of the same control plane, for example of an attempt that
// was cut short; conflict where it belongs to another server, which stays as it is.
base::result<bool> has_master_key(context& c, const crypto::master_key& key);
base::fault installed_already(const context& c);
base::result<> put_master_key(context& c, const crypto::master_key& key);
// The config file of the copy: beside the one in force, not in its place, since addresses and paths of another host
// need a look. Where it was put; nothing where the copy has none.
base::result<std::optional<std::string>> put_settings(context& c, const recovery::opened_copy& copy);

} // namespace xentz::apps
