// Room for uploads under way, spoken for in the database, so that quotas are exact with several servers over one
// storage. A reservation counts from `reserve` until its object arrives in the journal (object_journal::arrived ends it
// in the same transaction), or until it is released. So each byte is counted once at any moment.
//
// Each process holds one of a few numbers by an advisory lock of the database. Reservations of a number that nobody
// holds belong to a process that is gone, and go as soon as they are in somebody's way.
// Errors: exceptions of type sql::error. Threads: may be used from any thread at once.
#pragma once

#include "sql/advisory_lock.hpp"
#include "sql/database.hpp"
#include "store/object_journal.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace xentz::store {

struct upload_reservation {
    std::string id; // of the caller's choice, unique
    std::int64_t server = 0;
    domain::repository_id repository_id;
    std::string type;
    std::string name;
    std::int64_t bytes = 0;
};
BOOST_DESCRIBE_STRUCT(upload_reservation, (), (id, server, repository_id, type, name, bytes))

class upload_reservations {
public:
    explicit upload_reservations(std::shared_ptr<sql::database> db) : db_(std::move(db)) {}

    // Makes the reservation where `fits` says so of the room as it is without it: other reservations of the same tenant
    // wait meanwhile. `fits` may be asked again. `server` is set by this.
    bool reserve(upload_reservation r, const std::function<bool(const room&)>& fits);
    // Whether it still counts: it does not once another process took this one for gone.
    bool stands(const std::string& id);
    // No effect where there is none. What the database does not take now is made up for by the next `reserve`.
    void release(const std::string& id) noexcept;

private:
    std::int64_t number();
    void release_the_rest();
    bool drop_abandoned();

    std::shared_ptr<sql::database> db_;
    std::mutex mutex_;
    std::unique_ptr<sql::advisory_lock> presence_;
    std::int64_t number_ = 0;
    std::vector<std::string> unreleased_;
};

} // namespace xentz::store
