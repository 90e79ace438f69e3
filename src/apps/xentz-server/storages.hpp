// The storages of an installation: its own, which --storage names, and others that repositories were moved to, whose
// addresses the database knows. Which repository lies where is a row of the database.
//
// A storage is opened when something that lies on it is first asked for: touching neither disk nor network, as
// open_storage does. Threads: any. Ownership: outlives what it hands out.
#pragma once

#include "context.hpp"
#include "installation.hpp"
#include "repo/guarded_store.hpp"
#include "repo/storage.hpp"
#include "store_ledger.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace xentz::apps {

// One of them, with the journal and the guard of what lies on it.
struct storage_place {
    std::string id;
    std::string address; // empty: where --storage says
    std::unique_ptr<repo::storage> storage;
    store_journal journal;
    repo::guarded_store guarded;

    storage_place(std::string place_id, std::string place_address, std::unique_ptr<repo::storage> s,
                  const store::object_journal& objects, const base::clock& clock)
        : id(std::move(place_id)), address(std::move(place_address)), storage(std::move(s)),
          journal(objects, clock, fence()), guarded(*storage, *storage, journal)
    {
    }

    // Whether other servers may be at work on it at the same time.
    bool is_shared = false;

    // What the rows call this storage: empty for the installation's own.
    std::string fence() const { return address.empty() ? std::string{} : id; }
};

class storages {
public:
    // All must outlive it. `c` names the installation's own storage. `holder`, where it is not empty, is what the
    // process that serves is called: each storage is claimed for it.
    storages(context& c, store::fleet_store& store, std::string own_id, std::string holder)
        : c_(c), store_(store), own_id_(std::move(own_id)), holder_(std::move(holder))
    {
    }

    base::result<storage_place*> own() { return find(own_id_); }
    // Where a repository lies, as it was half a second ago at most.
    base::result<storage_place*> of(std::string_view repository_id);
    // not_found where no storage has this id.
    base::result<storage_place*> find(const std::string& id);
    // Their ids, the installation's own first.
    std::vector<std::string> ids();
    const std::string& own_id() const { return own_id_; }

private:
    std::string storage_id_of(std::string_view repository_id);
    base::result<storage_place*> open(const std::string& id, const std::string& address);

    context& c_;
    store::fleet_store& store_;
    std::string own_id_;
    std::string holder_;
    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<storage_place>> open_;

    struct known_place {
        std::string storage_id;
        std::chrono::microseconds asked_at{};
    };
    std::map<std::string, known_place, std::less<>> known_; // of repositories
};

} // namespace xentz::apps
