// `recover`: a machine gets at the repository of a lost one, and may become its successor.
//
//   recovery token -> POST /v1/recover -> a credential that reads for some days -> config.json says `recovering`
//                  -> snapshots, ls, restore work as on the lost machine; nothing else does
//                  -> POST /v1/take-over -> config.json of a device, which goes on with the same repository
//
// Interrupted at any point it is run again with the same token: the key of the calls is kept (recovery.json), so that a
// lost answer costs neither the token nor a second successor.
#pragma once

#include "agent/environment.hpp"
#include "agent/local_config.hpp"
#include "wire/messages.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace xentz::agent {

struct recovery_options {
    std::string server_url;
    std::string token;
    std::optional<std::string> device_id; // of the lost machine, to be sure
    std::optional<std::string> ca_file;
    bool allow_http = false;
    // Asked where only the machine had the repository's password: the password, or its recovery sheet.
    std::function<base::result<std::string>()> password;
    bool password_given = false; // it need not be asked for: what a person has brought along comes first
    // Asked where passwords are sealed to a key of the tenant: the private key, or its recovery sheet.
    std::function<base::result<std::string>()> private_key;
    bool private_key_given = false; // likewise
};

struct recovery {
    std::string server_url; // made uniform
    wire::recover_response lost;
    std::optional<std::filesystem::path> older_password; // where one that lay here was moved to
    // The custody of a successor, by who had the password and not by the server's word: with that, it could ask for
    // passwords that it was never meant to have, or choose to whom the next one is sealed.
    std::string custody;
    std::optional<std::string> custody_key; // the public half of the private key that was given
};

// Faults: already_enrolled where this home is a machine of its own, token_refused, those of the transport, of
// `password` and of files.
base::result<recovery> begin_recovery(environment& env, const recovery_options& o, std::stop_token stop);

// The config of the successor, saved already. Faults: as above; server_refused where the token allows none, or where
// another machine was faster.
base::result<local_config> take_over(environment& env, const recovery_options& o, const recovery& r,
                                     std::stop_token stop);

// The page for the safe of a machine that alone has its repository's password: text, without the password elsewhere.
std::string recovery_sheet_of(const local_config& c, const std::string& password);

} // namespace xentz::agent
