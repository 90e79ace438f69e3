#include "control/repository_views.hpp"

#include "base/time_text.hpp"
#include "control/deletion_alarm.hpp"
#include "control/sweep_clock.hpp"

#include <algorithm>
#include <charconv>

namespace xentz::control {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::int64_t warning_percent = 90;

// In percent of what is allowed; a quota of nothing is full.
std::int64_t percent(std::int64_t used, const std::optional<std::int64_t>& quota, std::int64_t factor)
{
    if (!quota) return 0;
    const auto whole = static_cast<double>(*quota) * static_cast<double>(factor);
    return whole <= 0 ? 100 : static_cast<std::int64_t>(static_cast<double>(used) * 100 / whole);
}

// Against the newest sample that is at least so old.
std::optional<std::int64_t> growth(const std::vector<store::usage_sample>& samples, std::int64_t bytes,
                                   std::int64_t until_day)
{
    std::optional<std::int64_t> out;
    for (const auto& s : samples)
        if (s.day <= until_day) out = bytes - s.live_bytes;
    return out;
}

} // namespace

std::string_view level_of(const store::room& r)
{
    const auto worst = std::max(
        {percent(r.live_bytes, r.rule.quota_bytes, 1), percent(r.tenant_live_bytes, r.rule.tenant_quota_bytes, 1),
         percent(r.live_bytes + r.trash_bytes, r.rule.quota_bytes, r.rule.trash_factor),
         percent(r.tenant_live_bytes + r.tenant_trash_bytes, r.rule.tenant_quota_bytes, r.rule.trash_factor)});
    if (worst >= 100) return "full";
    return worst >= warning_percent ? "warning" : "ok";
}

repository_view view(administrator& a, const store::repository& r)
{
    auto objects = a.store.objects();
    const auto state = objects.state(r.id);
    const auto room = objects.room_of(r.id);
    const auto device = a.store.find_device(r.device_id);
    repository_view v;
    v.repository_id = r.id.text;
    v.device_id = r.device_id.text;
    v.tenant_id = r.tenant_id.text;
    if (device) v.hostname = device->hostname;
    v.initialised = r.initialised;
    v.protection = room.rule.mode;
    v.trash_days = room.rule.trash_days;
    v.objects = state.live_objects;
    v.bytes = state.live_bytes;
    v.trash_objects = state.trash_objects;
    v.trash_bytes = state.trash_bytes;
    v.quota_bytes = room.rule.quota_bytes ? room.rule.quota_bytes : room.rule.tenant_quota_bytes;
    v.level = level_of(room);
    v.place = state.place;
    v.last_access_at = state.last_access_at;
    if (state.maintenance_until && *state.maintenance_until > a.clock.now())
        v.maintenance_until = state.maintenance_until;
    v.types = objects.usage_by_type(r.id);
    for (const auto& t : v.types)
        if (t.type == "snapshots") v.newest_snapshot_at = t.newest_at;
    v.holds = std::ranges::count_if(objects.holds(r.id), [](const auto& h) { return !h.released_at; });
    v.alarms = repository_alarms(a.store, r, a.clock.now());
    const auto today = day_of(a.clock.now());
    const auto samples = objects.samples(r.id, today - 60);
    v.grown_in_7_days = growth(samples, v.bytes, today - 7);
    v.grown_in_30_days = growth(samples, v.bytes, today - 30);
    return v;
}

result<store::repository> repository_of_device(administrator& a, std::string_view device_id)
{
    auto device = device_with_id(a, device_id);
    if (!device) return base::failed(device);
    if (auto r = a.store.repository_of(device->id)) return std::move(*r);
    return fail(fault_code::not_found, "the device " + std::string{device_id} + " has no repository");
}

result<std::int64_t> place_of(administrator& a, const store::repository& r, std::string_view text)
{
    auto number = text.starts_with('#') ? text.substr(1) : text;
    std::int64_t place = -1;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), place);
    if (error == std::errc{} && end == number.data() + number.size() && place >= 0) return place;
    if (const auto t = base::parse_rfc3339(text)) return a.store.objects().place_before(r.id, *t);
    return fail(fault_code::invalid_value, "\"" + std::string{text} + "\" is neither an instant nor a place",
                "Write an instant as 2026-11-23T18:30:00Z, or a place as `repo show` prints it");
}

} // namespace xentz::control
