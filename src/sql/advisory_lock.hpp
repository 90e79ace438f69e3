// A name in a database that one process at a time holds, for work that must happen once however many servers there are.
// It ends with its holder, however that ends: the lock of a PostgreSQL session, or of a file beside a SQLite database.
// Threads: one at a time. Errors: none; a lock that cannot be known to hold is not held.
#pragma once

namespace xentz::sql {

class advisory_lock {
public:
    virtual ~advisory_lock() = default; // releases
    // False once the connection that held it was lost: somebody else may have it by now.
    virtual bool held() noexcept = 0;
};

} // namespace xentz::sql
