// What the repository server has to know about repositories, and nothing more: whose address is it, does the
// credential fit, was it ever initialised. Implemented over the fleet's database (apps/xentz-server), faked in tests.
//
// Threads: may be called from any thread at once. An implementation that cannot answer throws; the request then
// ends as 503.
#pragma once

#include "base/fault.hpp"
#include "repo/rights.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace xentz::repo {

// The address below /repo/: <tenant_id>/<device_id>/<user_id>/.
struct address {
    std::string tenant;
    std::string device;
    std::string user;
    bool operator==(const address&) const = default;
};

struct access {
    std::string repository_id; // also the name of its folder
    bool initialised = false;  // a config was once stored here
    protection mode = protection::full;
    credential shown = credential::normal;
};

class ledger {
public:
    virtual ~ledger() = default;
    // The repository at an address, where `user` and `secret` (HTTP Basic) open it; nothing where the address is
    // unknown, the credential is wrong, or the device was revoked: the caller must not tell these apart.
    // Constant time in the secret.
    virtual std::optional<access> open(const address& a, std::string_view user, std::string_view secret) = 0;
    // Remembers, durably, that a repository has or has not a config.
    virtual void set_initialised(std::string_view repository_id, bool initialised) = 0;
    // Whoever remembers what he said of the repository asks anew next time: another server may have changed it.
    virtual void forget(std::string_view) {}
};

} // namespace xentz::repo
