#include "scrub.hpp"

#include "base/hex.hpp"
#include "base/id.hpp"
#include "base/size_text.hpp"
#include "base/time_text.hpp"
#include "crypto/hash.hpp"
#include "object_key.hpp"
#include "os/stop.hpp"

#include <vector>

namespace xentz::apps {
namespace {

using std::chrono::microseconds;

constexpr microseconds between_looks = std::chrono::seconds{30};
constexpr microseconds between_notes = std::chrono::seconds{5};
constexpr microseconds silent_for = std::chrono::seconds{30}; // then another process takes over
constexpr std::size_t piece_bytes = std::size_t{64} * 1024;
constexpr std::uint64_t cost_of_an_object = 4096; // of finding it, as if it were bytes
constexpr std::int64_t batch = 200;

std::string address_of(const store::object_life& l)
{
    return l.type + (l.name.empty() ? "" : "/" + l.name) + (l.in_trash ? " in the trash" : "");
}

} // namespace

scrub::scrub(const scrub_parts& parts, const scrub_settings& settings, base::random_source& random)
    : parts_(parts), settings_(settings), log_(parts.store.scrubs()), worker_(base::make_id_text("srv", random)),
      thread_([this](const std::stop_token& stop) {
          if (settings_.bytes_per_second > 0) run(stop);
      })
{
}

void scrub::run(const std::stop_token& stop)
{
    while (!stop.stop_requested()) {
        bool more = false;
        try {
            more = step(stop);
        } catch (const std::exception& e) {
            parts_.log.error(std::string{"the scrub failed and is tried again: "} + e.what());
        }
        if (!more) os::wait_for(between_looks, stop);
    }
}

bool scrub::step(const std::stop_token& stop)
{
    // A storage that is away is no rot.
    if (!parts_.blobs.ready()) return false;
    const auto at = take_up();
    if (!at) return false;
    at_ = written_ = *at;
    lost_ = false;
    noted_ = parts_.clock.elapsed();
    const bool more = note() && read_some(stop);
    // Whoever comes next need not wait.
    if (stop.stop_requested() && !lost_) {
        worker_.clear();
        note();
    }
    return more;
}

// Where this process goes on: a round that is under way, or a new one whose time has come. Nothing where another
// process reads, or all has been read.
std::optional<store::scrub_position> scrub::take_up()
{
    const auto now = parts_.clock.now();
    const auto last = log_.position();
    if (last && !last->ended_at) {
        const bool fresh = now >= last->advanced_at && now - last->advanced_at < silent_for;
        const bool others = !last->worker.empty() && last->worker != worker_ && fresh;
        return others ? std::nullopt : last;
    }
    if (last && now >= last->began_at && now - last->began_at < settings_.between_rounds) return std::nullopt;
    store::scrub_position next{
        .began_at = now, .advanced_at = now, .worker = worker_, .ended_at = {}, .last_round_at = {}};
    if (last) {
        next.round = last->round + 1;
        next.last_round_at = last->last_round_at;
    }
    if (!log_.advance(last, next)) return std::nullopt;
    return next;
}

bool scrub::note()
{
    at_.worker = worker_;
    at_.advanced_at = parts_.clock.now();
    lost_ = lost_ || !log_.advance(written_, at_);
    written_ = at_;
    noted_ = parts_.clock.elapsed();
    return !lost_;
}

void scrub::note_if_time()
{
    if (parts_.clock.elapsed() - noted_ >= between_notes) note();
}

bool scrub::read_some(const std::stop_token& stop)
{
    const auto objects = at_.repository_id.text.empty() ? std::vector<store::object_life>{}
                                                        : log_.objects_after(at_.repository_id, at_.place, batch);
    if (objects.empty()) return move_on();
    for (const auto& l : objects) {
        auto how = examine(l, stop);
        // Once more before it is called damage: the repository may just have been moved to another storage.
        if (how && !how->empty() && !stop.stop_requested()) how = examine(l, stop);
        if (stop.stop_requested() || lost_) return false;
        // The storage went away: what was not read is read when it is back.
        if (!how) {
            note();
            return false;
        }
        judge(l, *how);
        at_.place = l.place;
        ++at_.objects;
        at_.bytes += l.bytes;
        note_if_time();
    }
    return note();
}

// To the next repository, or to the end of the round.
bool scrub::move_on()
{
    if (const auto next = log_.repository_after(at_.repository_id)) {
        at_.repository_id = *next;
        at_.place = 0;
        return note();
    }
    at_.ended_at = at_.last_round_at = parts_.clock.now();
    if (note())
        parts_.log.info(
            "the scrub has read everything: " + base::counted(static_cast<std::uint64_t>(at_.objects), "object") +
            ", " + base::to_size(static_cast<std::uint64_t>(at_.bytes)));
    return false;
}

base::result<std::string> scrub::examine(const store::object_life& l, const std::stop_token& stop)
{
    pace(cost_of_an_object, stop);
    auto reader = l.in_trash ? parts_.trash.open_buried(slot_of(l)) : parts_.blobs.open(key_of(l));
    if (!reader && reader.error().code == base::fault_code::repository_unavailable) return base::failed(reader);
    if (!reader) return base::sentence(reader.error());
    return examine_bytes(**reader, l, stop);
}

base::result<std::string> scrub::examine_bytes(repo::object_reader& reader, const store::object_life& l,
                                               const std::stop_token& stop)
{
    crypto::sha256 hash;
    std::vector<char> piece(piece_bytes);
    for (std::uint64_t offset = 0; !stop.stop_requested() && !lost_;) {
        const auto n = reader.read(offset, piece);
        if (!n && n.error().code == base::fault_code::repository_unavailable) return std::unexpected(n.error());
        if (!n) return base::sentence(n.error());
        if (*n == 0)
            return base::to_hex(hash.finish()) == l.hash ? "" : "its bytes have changed: they have another hash";
        hash.update(std::span{piece}.first(*n));
        offset += *n;
        pace(*n, stop);
    }
    return "";
}

void scrub::judge(const store::object_life& l, const std::string& how)
{
    if (how.empty()) {
        log_.whole(l.repository_id, l.place);
        return;
    }
    // It may have been deleted, moved to the trash or purged while it was looked for.
    const auto now = parts_.store.objects().life(l.repository_id, l.place);
    const bool as_it_was = now && now->in_trash == l.in_trash && now->left_place == l.left_place;
    if (!as_it_was) return;
    const auto seen = parts_.clock.now();
    log_.damaged({l.repository_id, l.place, how, seen, seen});
    const auto owner = parts_.store.find_repository(l.repository_id);
    parts_.log.error("the scrub found damage in the repository " + l.repository_id.text +
                     (owner ? " of device " + owner->device_id.text : "") + ": " + address_of(l) + ": " + how +
                     " Nothing was changed. Run `xentz-server repo scrub`");
}

void scrub::pace(std::uint64_t bytes, const std::stop_token& stop)
{
    note_if_time();
    const auto now = parts_.clock.elapsed();
    const auto wait = next_read_ - now;
    if (wait > microseconds{0}) os::wait_for(wait, stop);
    const auto cost = microseconds{static_cast<std::int64_t>(bytes * 1'000'000 / settings_.bytes_per_second)};
    next_read_ = std::max(now, next_read_) + cost;
}

} // namespace xentz::apps
