// One small face over SQLite and PostgreSQL. The same SQL text serves both ($1, $2, ... in each; no dialect
// beyond what both understand); a cell is read as the C++ type that the caller asks for.
//
//   db.write([&](sql::connection& c) { c.query("update device set enabled = $1 where id = $2", on, id); });
//   auto rows = db.read([&](sql::connection& c) { return c.query("select ... from device").as<device>(); });
//
// Errors: exceptions of type sql::error.
// Threads: a `database` may be used from any thread at once (it keeps a pool of connections); a `connection`
// belongs to the call that got it.
#pragma once

#include "sql/connection.hpp"

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace xentz::sql {

class database {
public:
    virtual ~database() = default;

    // Runs `f` in a transaction that may write, and commits; an exception rolls back and travels on. Where the
    // engine asks to try again (a serialisation failure, a busy file), `f` is run again, a few times: it must have
    // no effect but on the database.
    template <class F>
    auto write(F&& f)
    {
        return in_transaction(mode::write, std::forward<F>(f));
    }
    // The same for reading only: a consistent view.
    template <class F>
    auto read(F&& f)
    {
        return in_transaction(mode::read, std::forward<F>(f));
    }

    // Applies the numbered scripts that are not yet applied, each in a transaction of its own, one process at a
    // time. `scripts` are in order, from 1.
    struct script {
        std::string name;
        std::string text;
    };
    virtual void migrate(const std::vector<script>& scripts) = 0;

protected:
    enum class mode { read, write };
    virtual void transact(mode m, const std::function<void(connection&)>& f) = 0;

private:
    template <class F>
    auto in_transaction(mode m, F&& f)
    {
        using value = std::invoke_result_t<F&, connection&>;
        if constexpr (std::is_void_v<value>) {
            transact(m, f);
        } else {
            std::optional<value> out;
            transact(m, [&](connection& c) { out.emplace(f(c)); });
            return std::move(*out);
        }
    }
};

// "sqlite:FILE" or "postgresql://...". SQLite: WAL, synchronous=full (what was committed survives a power cut),
// foreign keys on, writers take turns. The file is made where it does not exist.
std::shared_ptr<database> open_database(const std::string& address);

} // namespace xentz::sql
