#include "store/upload_reservations.hpp"

#include "store/journal_steps.hpp"

#include <set>

namespace xentz::store {
namespace {

constexpr std::int64_t most_servers = 256;

// A change that changes nothing: PostgreSQL keeps others from the row until the transaction ends.
constexpr const char* hold_tenant =
    "update tenant set name = name where id = (select tenant_id from repository where id = $1)";
constexpr const char* find_id = "select 1 from upload_reservation where id = $1";
constexpr const char* delete_id = "delete from upload_reservation where id = $1";
constexpr const char* delete_server = "delete from upload_reservation where server = $1";
constexpr const char* servers = "select distinct server from upload_reservation";

std::string lock_name(std::int64_t number) { return "server-" + std::to_string(number); }

} // namespace

bool upload_reservations::reserve(upload_reservation r, const std::function<bool(const room&)>& fits)
{
    release_the_rest();
    const auto attempt = [&] {
        r.server = number();
        return db_->write([&](sql::connection& c) {
            c.query(hold_tenant, r.repository_id);
            if (!fits(detail::room_for(c, r.repository_id))) return false;
            c.insert("upload_reservation", r);
            return true;
        });
    };
    return attempt() || (drop_abandoned() && attempt());
}

bool upload_reservations::stands(const std::string& id)
{
    return db_->read([&](sql::connection& c) { return !c.query(find_id, id).empty(); });
}

void upload_reservations::release(const std::string& id) noexcept
{
    try {
        db_->write([&](sql::connection& c) { c.query(delete_id, id); });
    } catch (const std::exception&) {
        const std::lock_guard guard{mutex_};
        unreleased_.push_back(id);
    }
}

void upload_reservations::release_the_rest()
{
    std::vector<std::string> ids;
    {
        const std::lock_guard guard{mutex_};
        ids.swap(unreleased_);
    }
    for (const auto& id : ids) release(id);
}

// The number of this process. What was reserved under it before belongs to a process that is gone, or to this one
// before it lost its connection, which then finds that its reservations do not stand.
std::int64_t upload_reservations::number()
{
    const std::lock_guard guard{mutex_};
    if (presence_ && presence_->held()) return number_;
    presence_.reset();
    for (number_ = 1; number_ <= most_servers; ++number_) {
        presence_ = db_->try_lock(lock_name(number_));
        if (!presence_) continue;
        db_->write([&](sql::connection& c) { c.query(delete_server, number_); });
        return number_;
    }
    throw sql::error(sql::errc::other, "more than " + std::to_string(most_servers) + " servers use the database");
}

// True where there were any.
bool upload_reservations::drop_abandoned()
{
    std::set<std::int64_t> others;
    db_->read([&](sql::connection& c) {
        others.clear();
        const auto rows = c.query(servers);
        for (std::size_t i = 0; i < rows.size(); ++i) others.insert(rows.get<std::int64_t>(i, 0));
    });
    const auto own = number();
    bool dropped = false;
    for (const auto other : others) {
        if (other == own) continue;
        const auto gone = db_->try_lock(lock_name(other));
        if (!gone) continue;
        db_->write([&](sql::connection& c) { c.query(delete_server, other); });
        dropped = true;
    }
    return dropped;
}

} // namespace xentz::store
