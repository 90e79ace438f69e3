#include "housekeeping.hpp"

#include "base/size_text.hpp"
#include "base/time_text.hpp"
#include "copies.hpp"
#include "object_key.hpp"
#include "os/stop.hpp"

namespace xentz::apps {
namespace {

using std::chrono::microseconds;

constexpr microseconds between_sweeps = std::chrono::hours{1};
constexpr microseconds between_comparisons = std::chrono::hours{24};
constexpr microseconds between_reminders = std::chrono::hours{24};
constexpr auto pause = std::chrono::minutes{1};
constexpr std::int64_t batch = 1000;
constexpr auto patience = std::chrono::seconds{20};

} // namespace

housekeeping::housekeeping(const housekeeping_parts& parts)
    : parts_(parts), began_(parts.clock.now()), thread_([this](const std::stop_token& stop) { run(stop); })
{
}

void housekeeping::run(const std::stop_token& stop)
{
    do {
        try {
            const auto elapsed = parts_.clock.elapsed();
            if (!reminded_ || elapsed - *reminded_ >= between_reminders) remind();
            if (!compared_ || elapsed - *compared_ >= between_comparisons) compare(stop);
            if (!seen_ || elapsed - seen_->elapsed >= between_sweeps) sweep(stop);
        } catch (const std::exception& e) {
            parts_.log.error(std::string{"housekeeping failed and is tried again: "} + e.what());
        }
    } while (os::wait_for(pause, stop));
}

void housekeeping::remind()
{
    for (const auto& text : reminders(parts_.store, parts_.clock.now())) parts_.log.warn(text);
    reminded_ = parts_.clock.elapsed();
}

void housekeeping::compare(const std::stop_token& stop)
{
    const auto alone = parts_.store.try_lock("comparison");
    if (!alone) return;
    // Another server may have done it meanwhile.
    const auto done = base::parse_rfc3339(parts_.store.setting(setting_compared_at).value_or(""));
    if (!done || *done < began_) {
        const auto now = parts_.clock.now();
        for (const auto& r : parts_.store.repositories())
            if (stop.stop_requested() || !compare_repository(r.id, stop)) return;
        parts_.store.set_setting(setting_compared_at, base::to_rfc3339(now));
    }
    began_ = parts_.clock.now();
    compared_ = parts_.clock.elapsed();
}

bool housekeeping::compare_repository(const domain::repository_id& id, const std::stop_token& stop)
{
    const auto place = parts_.places.of(id.text);
    if (!place) {
        parts_.log.warn("the repository " + id.text + " cannot be compared: " + base::sentence(place.error()));
        return true;
    }
    const auto found =
        reconcile({*(*place)->storage, *(*place)->storage, (*place)->guarded, parts_.objects, parts_.clock, parts_.log,
                   (*place)->fence(), (*place)->is_shared ? patience : std::chrono::seconds{0}},
                  id, stop);
    if (!found) {
        parts_.log.warn("the repository " + id.text +
                        " could not be compared with its journal: " + base::sentence(found.error()));
        // A storage that is away is looked for again in a minute.
        return found.error().code != base::fault_code::repository_unavailable;
    }
    if (found->clean()) return true;
    parts_.log.warn("the repository " + id.text + " differed from its journal: " +
                    base::counted(found->taken_in, "object") + " taken in, " + std::to_string(found->moved) +
                    " moved, " + std::to_string(found->removed) + " removed, " + std::to_string(found->lost) + " lost");
    return true;
}

void housekeeping::sweep(const std::stop_token& stop)
{
    const control::sweep_instant here{parts_.clock.now(), parts_.clock.elapsed()};
    const auto last = parts_.objects.sweep_clock();
    const auto judged = control::judge_sweep(last, seen_, here);
    const auto previous = std::exchange(seen_, here);
    // Another process was here a moment ago.
    if (last && previous && here.now >= last->swept_at && here.now - last->swept_at < between_sweeps / 2) return;
    if (!parts_.objects.advance_sweep_clock(last, judged.next)) return;
    parts_.objects.sample_usage(control::day_of(here.now));
    if (!judged.may_purge) {
        if (last)
            parts_.log.error(
                "the clock of this machine is " +
                base::to_words(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::abs(judged.drift))) +
                (judged.drift < microseconds{0} ? " behind" : " ahead of") +
                " where it should be; nothing leaves the trash this time");
        return;
    }
    if (const auto there = parts_.blobs.ready(); !there) return;
    for (const auto& r : parts_.store.repositories()) {
        if (stop.stop_requested()) return;
        sweep_repository(r, judged.next, stop);
    }
}

void housekeeping::sweep_repository(const store::repository& r, const control::sweep_time& t,
                                    const std::stop_token& stop)
{
    auto& objects = parts_.objects;
    const auto state = objects.state(r.id);
    const auto today = control::day_of(t.trusted_at);
    auto left = state.purge_day == today ? state.purge_left : control::purge_budget(state.trash_bytes);
    std::uint64_t purged = 0;
    const auto due = objects.purgeable(r.id, t.swept_at, t.trusted_at, batch);
    for (const auto& l : due) {
        if (left <= 0 || stop.stop_requested()) break;
        if (!objects.purged(r.id, l.place)) continue;
        left -= l.bytes;
        ++purged;
        if (const auto gone = parts_.blobs.destroy(slot_of(l)); !gone)
            parts_.log.warn("repository " + r.id.text + ": " + base::sentence(gone.error()));
    }
    if (purged > 0) {
        objects.set_purge_budget(r.id, today, left);
        parts_.log.info("repository " + r.id.text + ": " + base::counted(purged, "object") +
                        " left the trash for good");
    }
    bool held = false;
    for (const auto& h : objects.holds(r.id)) held = held || !h.released_at;
    if (!held) objects.drop_history(r.id, t.swept_at - std::chrono::days{objects.rule_of(r.id).trash_days});
}

} // namespace xentz::apps
