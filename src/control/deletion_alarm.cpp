#include "control/deletion_alarm.hpp"

#include "base/size_text.hpp"
#include "wire/messages.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <string_view>

namespace xentz::control {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr auto look_back = days{30};

struct span {
    std::chrono::months months{0};
    hours rest{0};
};

// "1y5m7d2h", as the policy was checked to have it.
span parse_span(std::string_view text)
{
    span out;
    while (!text.empty()) {
        int n = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (error != std::errc{} || end == text.data() + text.size()) return out;
        const char unit = *end;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
        if (unit == 'y') out.months += std::chrono::months{12 * n};
        if (unit == 'm') out.months += std::chrono::months{n};
        if (unit == 'd') out.rest += days{n};
        if (unit == 'h') out.rest += hours{n};
    }
    return out;
}

// Months are counted as short as they can be: what is kept then is kept by any calendar.
base::time_point back_from(base::time_point newest, const span& s)
{
    return newest - s.rest - days{28 * s.months.count()};
}

using period_of = std::function<std::int64_t(std::chrono::sys_days)>;

std::int64_t month_of(std::chrono::sys_days day)
{
    const std::chrono::year_month_day date{day};
    return std::int64_t{int{date.year()}} * 12 + unsigned{date.month()};
}

// ISO weeks begin on Monday, and 1970 began on a Thursday.
std::int64_t week_of(std::chrono::sys_days day) { return (day.time_since_epoch().count() + 3) / 7; }

// The newest of each of the last `most` periods that have one. `stored` is newest first.
void keep(std::set<std::size_t>& kept, const std::vector<base::time_point>& stored, std::uint32_t most, hours offset,
          const period_of& period)
{
    std::optional<std::int64_t> last;
    for (std::size_t i = 0; i < stored.size() && most > 0; ++i) {
        const auto p = period(std::chrono::floor<days>(stored[i] + offset));
        if (last == p) continue;
        last = p;
        kept.insert(i);
        --most;
    }
}

std::size_t kept_in_zone(const domain::retention& r, const std::vector<base::time_point>& stored, hours offset)
{
    std::set<std::size_t> kept;
    for (std::size_t i = 0; i < std::min<std::size_t>(r.keep_last, stored.size()); ++i) kept.insert(i);
    keep(kept, stored, r.keep_daily, offset, [](auto day) { return std::int64_t{day.time_since_epoch().count()}; });
    keep(kept, stored, r.keep_weekly, offset, week_of);
    keep(kept, stored, r.keep_monthly, offset, month_of);
    keep(kept, stored, r.keep_yearly, offset, [](auto day) { return (month_of(day) - 1) / 12; });
    if (r.keep_within && !stored.empty()) {
        const auto from = back_from(stored.front(), parse_span(*r.keep_within));
        for (std::size_t i = 0; i < stored.size() && stored[i] > from; ++i) kept.insert(i);
    }
    return kept.size();
}

// A snapshot is stored when its backup ends, which may be another day than that of its own time.
std::size_t tolerance(const domain::retention& r)
{
    const bool by_calendar = r.keep_daily + r.keep_weekly + r.keep_monthly + r.keep_yearly > 0 || r.keep_within;
    return by_calendar ? 1 : 0;
}

std::string counted(std::size_t n, std::string_view what) { return base::counted(n, what); }

std::int64_t objects_of(const std::vector<store::type_usage>& all, std::string_view type)
{
    const auto at = std::ranges::find(all, type, &store::type_usage::type);
    return at == all.end() ? 0 : at->live_objects;
}

} // namespace

std::size_t kept_at_least(const domain::retention& r, const std::vector<base::time_point>& stored)
{
    auto newest_first = stored;
    std::ranges::sort(newest_first, std::greater{});
    auto least = newest_first.size();
    for (auto offset = hours{-12}; offset <= hours{14}; ++offset)
        least = std::min(least, kept_in_zone(r, newest_first, offset));
    return least;
}

std::vector<std::string> unexplained(const deletion_facts& f)
{
    std::vector<std::string> out;
    std::vector<base::time_point> stored;
    std::size_t present = 0;
    for (const auto& s : f.snapshots) {
        stored.push_back(s.came_at);
        present += s.present ? 1 : 0;
    }
    const auto expected = kept_at_least(f.retention, stored);
    const bool all_gone = present == 0 && expected > 0;
    if (all_gone || present + tolerance(f.retention) < expected)
        out.push_back("of " + counted(stored.size(), "snapshot") + " " + std::to_string(present) +
                      " are left, and the policy keeps at least " + std::to_string(expected));
    const bool some_left = present < stored.size();
    for (const auto& g : f.gone) {
        const auto what = counted(static_cast<std::size_t>(g.objects), g.type == "index" ? "index file" : "pack") +
                          " of " + base::to_size(static_cast<std::uint64_t>(g.bytes));
        if (g.type != "data" && g.type != "index") continue;
        if (!f.retention.prune)
            out.push_back(what + " were deleted, and the policy does not prune");
        else if (g.type == "data" && !some_left && g.objects > objects_of(f.present, "data"))
            out.push_back(what + " were deleted, more than are left, though no snapshot was");
    }
    for (const auto& g : f.gone) {
        if (g.type == "config") out.emplace_back("the config was deleted or replaced, which only a migration does");
        if (g.type == "keys" && objects_of(f.present, "keys") == 0) out.emplace_back("no key is left");
    }
    return out;
}

std::vector<std::string> deletion_alarms(store::fleet_store& store, const store::repository& r, base::time_point now)
{
    auto objects = store.objects();
    const auto device = store.find_device(r.device_id);
    const auto row = device ? store.find_policy(device->tenant_id, device->policy_name) : std::nullopt;
    const auto policy = row ? wire::decode<domain::policy>(row->document) : base::result<domain::policy>{};
    if (!row || !policy || objects.rule_of(r.id).mode == "full") return {};
    const auto place = objects.place_before(r.id, std::max<base::time_point>(now - look_back, row->updated_at));
    return unexplained({.retention = policy->retention,
                        .snapshots = objects.snapshots_since(r.id, place),
                        .gone = objects.departures_since(r.id, place),
                        .present = objects.usage_by_type(r.id)});
}

std::vector<std::string> repository_alarms(store::fleet_store& store, const store::repository& r, base::time_point now)
{
    auto alarms = deletion_alarms(store, r, now);
    if (const auto damaged = store.scrubs().damages(r.id).size(); damaged > 0)
        alarms.push_back("the scrub found " + base::counted(damaged, "damaged object") +
                         " on the storage: see `xentz-server repo scrub`");
    return alarms;
}

} // namespace xentz::control
