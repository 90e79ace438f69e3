// Every row of the fleet's database, for a copy of the control plane or its move to another database: read as one
// moment had them, whatever is written meanwhile, and put into an empty database of either engine. Memory does not grow
// with the number of rows.
//
// Errors: a fault of the receiver or the source is handed on; those of the database are sql::error, as in
// fleet_store.hpp. Threads: as fleet_store.
#pragma once

#include "base/fault.hpp"
#include "sql/database.hpp"
#include "store/rows.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::store {

struct column {
    std::string_view name;
    bool is_number = false; // 64 bits; otherwise text
};

struct table {
    std::string_view name;
    std::vector<column> columns;
    std::vector<std::string_view> key;
};

// All but what is of one database or moment: schema_migrations, moved_away, upload_reservation. In order of reference.
const std::vector<table>& tables();

// The names of the migrations that this program knows, in their order: the schema of what `read` gives.
std::vector<std::string> schema_names();

// config_invalid where rows of that schema cannot be moved in by this program, which wants its own.
base::result<> check_schema(const std::vector<std::string>& schema);

using row = std::vector<sql::value>; // std::int64_t, std::string or null

struct row_receiver {
    virtual ~row_receiver() = default;
    // Everything from the start; again where the database asked for another attempt: what came before is void then.
    virtual base::result<> begin() = 0;
    virtual base::result<> begin_table(const table& t) = 0;
    virtual base::result<> add(const row& r) = 0;
    virtual base::result<> end() = 0; // everything was given
};

// Rows of one table, by the names that the copy has for it.
struct row_group {
    std::string table;
    std::vector<std::string> columns;
};

struct copied_row {
    const row_group* group = nullptr; // valid until the next one is asked for
    row values;
};

struct row_source {
    virtual ~row_source() = default;
    virtual base::result<> rewind() = 0;
    virtual base::result<std::optional<copied_row>> next() = 0; // nothing at the end
};

// What a restore changed in the rows that it put back, because of what may have happened since the copy.
struct restored_rows {
    store::epoch epoch;
    std::int64_t tokens_voided = 0;
    std::int64_t credentials_voided = 0;
};

class all_rows {
public:
    explicit all_rows(std::shared_ptr<sql::database> db) : db_(std::move(db)) {}

    base::result<> read(row_receiver& to);

    // Whether an installation is in there, complete or not.
    bool holds_any();

    // Puts the rows into a database that holds none, all or nothing, and brings the schema up to date. `schema` is the
    // one of the rows. In the same transaction the epoch begins (`started`; its number is the next one): install tokens
    // that could still be used and further repository credentials are void, each repository's credential is another
    // one, and each journal goes on far beyond the places that were given out since the copy.
    //
    // config_invalid where this program does not know that schema, conflict where the database holds rows already.
    base::result<restored_rows> restore(const std::vector<std::string>& schema, row_source& from, const epoch& started);

    // Puts the rows into a database that holds none and changes nothing in them: the same control plane in another
    // place. In the same transaction all of them are read again into `back`; a fault of it, also at its end, and
    // nothing was put in.
    //
    // config_invalid where `schema` is not the one of this program, conflict where the database holds rows already.
    base::result<> move_in(const std::vector<std::string>& schema, row_source& from, row_receiver& back);

private:
    base::result<> make_tables(const std::vector<sql::database::script>& scripts);

    std::shared_ptr<sql::database> db_;
};

} // namespace xentz::store
