// Which repository this machine backs up to, remembered from the first success on (state/repository.json): restic's id
// of it, and the hash of its config, by which it is known again without a key derivation. A repository that became
// another one, or empty, is refused until a person says that it was meant.
#pragma once

#include "agent/environment.hpp"
#include "agent/preflight.hpp"
#include "wire/json.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace xentz::agent {

struct repository_pin {
    std::uint32_t format = 1;
    std::string id;
    std::optional<std::string> fingerprint;
    std::string address; // without credential
    std::string machine_id;
    base::time_point pinned_at;
};
BOOST_DESCRIBE_STRUCT(repository_pin, (), (format, id, fingerprint, address, machine_id, pinned_at))

// Nothing where there is none. config_invalid where it cannot be read: a damaged pin must not pass for none.
base::result<std::optional<repository_pin>> load_pin(os::files& fs, const home& h);
base::result<> forget_pin(os::files& fs, const home& h); // no error where there is none

// repository_changed where the repository is there and another one than the pinned. Where nothing was pinned yet, or
// only the fingerprint differs (restic's `migrate` writes another config), restic is asked for the id and it is pinned.
base::result<> check_pin(environment& env, const std::optional<repository_pin>& pin, const repository_look& look,
                         const std::string& address, engine::session& session, std::stop_token stop);

} // namespace xentz::agent
