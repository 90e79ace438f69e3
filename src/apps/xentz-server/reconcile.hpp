// Brings the journal and the storage to agree, object by object: what a crash left between a row and its file, what a
// restored database does not know, what the disk has lost. The rows say where bytes belong; files without a row are
// taken in; rows without bytes end, with an error in the log.
//
// Threads: runs beside a server that serves, in its process (`guarded` keeps the two apart), beside commands, and
// beside other servers where the storage is one that several may serve. Errors: repository_unavailable ends it; a
// sql::error is an exception.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "repo/blob_store.hpp"
#include "repo/guarded_store.hpp"
#include "repo/trash_store.hpp"
#include "store/object_journal.hpp"

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

namespace xentz::apps {

struct reconciliation {
    std::uint64_t taken_in = 0; // files that the journal did not know
    std::uint64_t moved = 0;    // files that were not where the journal says
    std::uint64_t removed = 0;  // files that nothing refers to any more
    std::uint64_t lost = 0;     // rows whose bytes are nowhere
    bool clean() const { return taken_in + moved + removed + lost == 0; }
};

struct reconcile_parts {
    repo::blob_store& blobs;
    repo::trash_store& trash;
    repo::guarded_store& guarded;
    store::object_journal objects;
    const base::clock& clock;
    base::logger& log;
    std::string storage;             // as the rows call it (store/object_journal.hpp)
    std::chrono::seconds patience{}; // with what another server may be removing: nothing where this one is alone
};

base::result<reconciliation> reconcile(const reconcile_parts& p, const domain::repository_id& id,
                                       const std::stop_token& stop);

} // namespace xentz::apps
