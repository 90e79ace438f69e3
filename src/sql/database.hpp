// One small face over SQLite and PostgreSQL. The same SQL text serves both ($1, $2, ... in each; no dialect
// beyond what both understand); a cell is read as the C++ type that the caller asks for.
//
//   db.write([&](sql::connection& c) { c.query("update device set enabled = $1 where id = $2", on, id); });
//   auto rows = db.read([&](sql::connection& c) { return c.select<device>("from device"); });
//
// Errors: exceptions of type sql::error. An address may hold a password: no message repeats any of it.
// Threads: a `database` may be used from any thread at once (it keeps a pool of connections); a `connection`
// belongs to the call that got it. A transaction must not open another one of the same database.
#pragma once

#include "sql/advisory_lock.hpp"
#include "sql/connection.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace xentz::sql {

// Reading is a consistent view in which a change is refused.
enum class access { read, write };

class database {
public:
    virtual ~database() = default;

    // Runs `f` in a transaction that may write, and commits; an exception rolls back and travels on. Where the
    // engine asks to try again (a serialisation failure, a busy file), or the connection was lost before the commit,
    // `f` is run again, a few times: it must have no effect but on the database. A connection lost while committing is
    // an error (errc::connection_lost): the outcome is not known, so trying again is the caller's decision.
    template <class F>
    auto write(F&& f)
    {
        return in_transaction(access::write, std::forward<F>(f));
    }
    // The same for reading only.
    template <class F>
    auto read(F&& f)
    {
        return in_transaction(access::read, std::forward<F>(f));
    }

    // Like `write`, but while no other transaction that may write and that began through the gate `table` is under way,
    // in any process, and none begins. For whoever shuts or opens that gate.
    template <class F>
    auto write_alone(std::string_view table, F&& f)
    {
        return run([&](const std::function<void(connection&)>& g) { transact_alone(table, g); }, std::forward<F>(f));
    }

    // Applies the numbered scripts that are not yet applied, each in a transaction of its own, one process at a
    // time. `scripts` are in order, from 1; which were applied is kept in the table schema_migrations. A database that
    // knows a later script, or another one under the same number, is refused.
    struct script {
        std::string name;
        std::string text;
    };
    virtual void migrate(const std::vector<script>& scripts) = 0;

    // The lock of that name, for letters, digits and dashes; nothing where it is held, by this process or another one.
    // It has a connection of its own. SQLite keeps an empty file beside the database for each name ever used.
    virtual std::unique_ptr<advisory_lock> try_lock(const std::string& name) = 0;

protected:
    virtual void transact(access a, const std::function<void(connection&)>& f) = 0;
    virtual void transact_alone(std::string_view table, const std::function<void(connection&)>& f) = 0;

private:
    template <class F>
    auto in_transaction(access a, F&& f)
    {
        return run([&](const std::function<void(connection&)>& g) { transact(a, g); }, std::forward<F>(f));
    }

    template <class T, class F>
    static auto run(T transaction, F&& f)
    {
        using value_type = std::invoke_result_t<F&, connection&>;
        if constexpr (std::is_void_v<value_type>) {
            transaction(std::ref(f));
        } else {
            std::optional<value_type> out;
            transaction([&](connection& c) { out.emplace(f(c)); });
            return value_type(std::move(*out));
        }
    }
};

// A table that shuts the database: while there is a row in it, every transaction is refused with errc::shut and this
// message. What is under way when the row is committed by `write_alone` has ended before. Migrations pass.
struct gate {
    std::string table;
    std::string message;
};

struct database_options {
    std::size_t connections = 16;          // at most, per database object
    std::chrono::seconds longest_wait{30}; // for a connection, where all are in use
    std::optional<sql::gate> gate = {};
};

// "sqlite:FILE" or "postgresql://...". The first connection is made at once, so that a wrong address is known early.
// SQLite: WAL, synchronous=full (what was committed survives a power cut), foreign keys on, writers take turns. The
// file is made where it does not exist. PostgreSQL: a statement may take 30 seconds.
std::shared_ptr<database> open_database(const std::string& address, const database_options& options = {});

} // namespace xentz::sql
