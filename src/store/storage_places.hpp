// Which repository lies on which storage, and the steps of a move from one to another.
//
// A move copies while clients go on, then asks `close`, copies what came meanwhile, and asks `move_to`, which happens
// only where the journal has given out no place since the one that was copied up to. Every row of an object that comes
// or goes is written only where its repository lies on the storage that its bytes went to (object_journal.hpp), in the
// same transaction as its place. So nothing is acknowledged that the move did not see.
//
// Errors: exceptions of type sql::error. Threads: may be used from any thread at once. Each function is one
// transaction.
#pragma once

#include "sql/database.hpp"
#include "store/storage_rows.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xentz::store {

class storage_places {
public:
    // A server may go on believing for so long that a repository is where it was. After a move nothing is written to
    // it for longer.
    static constexpr std::chrono::microseconds believed_for = std::chrono::milliseconds{500};

    explicit storage_places(std::shared_ptr<sql::database> db) : db_(std::move(db)) {}

    // The storages that are known beside the installation's own, in the order of their ids.
    std::vector<storage_row> all();
    std::optional<storage_row> find(const std::string& id);
    // False where one with this id or this address is known.
    bool add(const storage_row& s);
    void set_address(const std::string& id, const std::string& address);

    // Empty: on the installation's own.
    std::string storage_of(const domain::repository_id& id);
    std::vector<domain::repository_id> on(const std::string& storage_id); // never the installation's own

    // From now until then nothing comes to the repository or leaves it.
    void close(const domain::repository_id& id, base::time_point until);
    void open(const domain::repository_id& id);
    // False, and nothing done, where the journal has gone on since `place`. Empty: to the installation's own.
    bool move_to(const domain::repository_id& id, const std::string& storage_id, std::int64_t place,
                 base::time_point now);

private:
    std::shared_ptr<sql::database> db_;
};

} // namespace xentz::store
