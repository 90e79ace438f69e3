// What an engine has to offer so that a pool can run transactions on it. For the sources of this module and for
// tests; everybody else uses sql/database.hpp.
//
// Errors: exceptions of type sql::error.
// Threads: a session is used by one thread at a time.
#pragma once

#include "sql/database.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace xentz::sql {

class session : public connection {
public:
    // False where a row is in the table `gate`: then nothing may be done in the transaction.
    bool begin(access a, std::string_view gate = {})
    {
        failed_ = false;
        return start(a, gate);
    }
    bool failed() const { return failed_; }

    // errc::connection_lost here means that the outcome is not known; after any other error nothing was stored.
    virtual void commit() = 0;
    // False where the session is of no more use.
    virtual bool rollback() noexcept = 0;

    // Several statements, without arguments; also outside a transaction.
    virtual void run_script(const std::string& text) = 0;
    // Inside a transaction: holds off every other process that wants to change the schema, until its end.
    virtual void lock_schema() = 0;
    // Inside a transaction: waits until no other transaction that may write and began with that gate is under way, and
    // holds off further ones until its end.
    virtual void lock_gate(std::string_view gate) = 0;
    // An SQL expression: the engine's own clock in microseconds since 1970.
    virtual std::string_view now_expression() const = 0;

protected:
    virtual bool start(access a, std::string_view gate) = 0;
};

// The file is made, readable by its owner only, where it does not exist.
std::unique_ptr<session> open_sqlite(const std::string& file);

std::unique_ptr<session> open_postgresql(const std::string& url);

// As database::try_lock.
std::unique_ptr<advisory_lock> try_sqlite_lock(const std::string& file, const std::string& name);
std::unique_ptr<advisory_lock> try_postgresql_lock(const std::string& url, const std::string& name);

} // namespace xentz::sql
