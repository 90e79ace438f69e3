// The repository server's ledger and journal over the fleet's database: the one place where the two halves of the
// server meet.
#pragma once

#include "base/clock.hpp"
#include "crypto/secrets.hpp"
#include "repo/journal.hpp"
#include "repo/ledger.hpp"
#include "repo/memory_room_book.hpp"
#include "store/fleet_store.hpp"
#include "store/grouped_arrivals.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace xentz::apps {

class store_ledger final : public repo::ledger {
public:
    // All must outlive the ledger.
    store_ledger(store::fleet_store& store, const crypto::master_key& key, const base::clock& clock)
        : store_(store), key_(key), clock_(clock)
    {
    }

    std::optional<repo::access> open(const repo::address& a, std::string_view user, std::string_view secret) override;
    void set_initialised(std::string_view repository_id, bool initialised) override;

private:
    bool in_force(const store::repository& r, const std::optional<store::repository_credential>& c);
    repo::credential right_of(const domain::repository_id& id, const std::optional<store::repository_credential>& c,
                              repo::protection mode);
    void note_access(const domain::repository_id& id);

    store::fleet_store& store_;
    const crypto::master_key& key_;
    const base::clock& clock_;
    std::mutex mutex_;
    std::map<std::string, std::chrono::microseconds> noted_; // when an access was last written down
};

class store_journal final : public repo::journal {
public:
    // `storage` is where the bytes are (empty: on the installation's own storage). The clock must outlive the journal.
    store_journal(const store::object_journal& objects, const base::clock& clock, std::string storage)
        : objects_(objects), arrivals_(objects), clock_(clock), storage_(std::move(storage))
    {
    }

    void arrived(const repo::object_identity& o) override;
    std::optional<std::int64_t> departing(const repo::object_identity& o) override;
    void stayed(const repo::object_identity& o, std::int64_t place) override;

private:
    store::object_journal objects_;
    store::grouped_arrivals arrivals_;
    const base::clock& clock_;
    std::string storage_;
};

class store_room_source final : public repo::room_source {
public:
    explicit store_room_source(store::object_journal objects) : objects_(std::move(objects)) {}
    repo::room room_of(const std::string& repository_id) override;

private:
    store::object_journal objects_;
};

} // namespace xentz::apps
