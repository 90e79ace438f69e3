#include "store/fleet_store.hpp"

#include "domain/report.hpp"

#include <boost/describe/enumerators.hpp>

#include <algorithm>

namespace xentz::store {

namespace {

constexpr const char* unless_known = "on conflict (device_id, dedup_key) do nothing returning report_id";
constexpr const char* known_report = "select report_id from report where device_id = $1 and dedup_key = $2";

constexpr const char* newest = "from report "
                               "order by started_at desc, received_at desc, dedup_key desc limit $1";
constexpr const char* newest_of_job = "from report where job = $1 "
                                      "order by started_at desc, received_at desc, dedup_key desc limit $2";
constexpr const char* newest_of_device = "from report where device_id = $1 "
                                         "order by started_at desc, received_at desc, dedup_key desc limit $2";
constexpr const char* newest_of_device_and_job = "from report where device_id = $1 and job = $2 "
                                                 "order by started_at desc, received_at desc, dedup_key desc limit $3";
constexpr const char* last_proof = "select max(finished_at) as finished_at from report "
                                   "where device_id = $1 and job = 'check' and status = 'success'";
constexpr const char* last_good = "select max(finished_at) as finished_at from report "
                                  "where device_id = $1 and job = 'backup' and status in ('success', 'partial')";

} // namespace

std::string fleet_store::add_report(const report& r)
{
    return db_->write([&](sql::connection& c) {
        auto rows = c.insert("report", r, unless_known);
        if (rows.empty()) rows = c.query(known_report, r.device_id, r.dedup_key);
        return rows.get<std::string>(0, 0);
    });
}

std::vector<report> fleet_store::reports(const report_filter& filter)
{
    // A negative limit means "all" to one engine and is an error to the other.
    const auto limit = std::max<std::int64_t>(filter.limit, 0);
    return db_->read([&](sql::connection& c) {
        if (filter.device && filter.job) {
            return c.select<report>(newest_of_device_and_job, *filter.device, *filter.job, limit);
        }
        if (filter.device) return c.select<report>(newest_of_device, *filter.device, limit);
        if (filter.job) return c.select<report>(newest_of_job, *filter.job, limit);
        return c.select<report>(newest, limit);
    });
}

std::vector<report> fleet_store::latest_reports(const domain::device_id& id)
{
    return db_->read([&](sql::connection& c) {
        std::vector<report> out;
        // One look into the index for each job is quicker than a walk over all that a device ever reported.
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<domain::job>>([&](auto job) {
            auto found = c.find<report>(newest_of_device_and_job, id, domain::name(job.value), 1);
            if (found) out.push_back(std::move(*found));
        });
        return out;
    });
}

std::optional<base::time_point> fleet_store::last_good_backup(const domain::device_id& id)
{
    return db_->read(
        [&](sql::connection& c) { return c.query(last_good, id).get<std::optional<base::time_point>>(0, 0); });
}

std::optional<base::time_point> fleet_store::last_good_check(const domain::device_id& id)
{
    return db_->read(
        [&](sql::connection& c) { return c.query(last_proof, id).get<std::optional<base::time_point>>(0, 0); });
}

} // namespace xentz::store
