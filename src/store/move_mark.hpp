// The mark of a database whose control plane was moved to another one. While it is there the gate of the database is
// shut: whoever opened it with `gate()`, in this process or another, is refused with sql::errc::shut from the moment at
// which the mark was set, and nothing that was under way then is stored later. So there are never two truths.
//
// Errors and threads: as fleet_store; the database must have been opened without the gate.
#pragma once

#include "base/clock.hpp"
#include "sql/database.hpp"

#include <boost/describe/class.hpp>

#include <memory>
#include <optional>
#include <string>

namespace xentz::store {

struct moved_away {
    base::time_point moved_at;
    std::string folder;                     // that the export is written to
    std::optional<std::string> export_hash; // of its manifest, once it is whole
};
BOOST_DESCRIBE_STRUCT(moved_away, (), (moved_at, folder, export_hash))

class move_mark {
public:
    static sql::gate gate();

    explicit move_mark(std::shared_ptr<sql::database> db) : db_(std::move(db)) {}

    std::optional<moved_away> find();
    // Before the export is written. Where there is a mark already its instant stays.
    void set(base::time_point moved_at, const std::string& folder);
    // The export is whole.
    void complete(const std::string& export_hash);
    // The control plane is in force again as it was.
    void clear();

private:
    std::shared_ptr<sql::database> db_;
};

} // namespace xentz::store
