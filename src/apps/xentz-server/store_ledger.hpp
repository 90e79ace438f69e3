// The repository server's ledger over the fleet's database: the one place where the two halves of the server meet.
#pragma once

#include "crypto/secrets.hpp"
#include "repo/ledger.hpp"
#include "store/fleet_store.hpp"

namespace xentz::apps {

class store_ledger final : public repo::ledger {
public:
    // Both must outlive the ledger.
    store_ledger(store::fleet_store& store, const crypto::master_key& key) : store_(store), key_(key) {}

    std::optional<repo::access> open(const repo::address& a, std::string_view user, std::string_view secret) override;
    void set_initialised(std::string_view repository_id, bool initialised) override;

private:
    store::fleet_store& store_;
    const crypto::master_key& key_;
};

} // namespace xentz::apps
