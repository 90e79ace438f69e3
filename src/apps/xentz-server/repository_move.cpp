#include "repository_move.hpp"

#include "base/size_text.hpp"
#include "repository_copy.hpp"

#include <algorithm>

namespace xentz::apps {
namespace {

using base::fail;
using base::failed;
using base::fault_code;
using base::result;
using std::chrono::microseconds;

constexpr int most_open_rounds = 5;
constexpr int most_closed_rounds = 20;
constexpr std::uint64_t little = 20; // objects: they are moved while nothing comes or goes
// Renewed while the move lives. After one that was killed, restic must still be trying.
constexpr microseconds closed_for = std::chrono::seconds{20};
constexpr microseconds between_lines = std::chrono::seconds{10};
// Longer than a server believes that the repository is still there, and than a request for a piece of it takes.
constexpr microseconds before_removal = std::chrono::seconds{5};

// Nothing comes to a repository or leaves it, until the end of this, however that comes.
class closed_repository {
public:
    closed_repository(store::storage_places places, const domain::repository_id& id, const base::clock& clock)
        : places_(std::move(places)), id_(id), clock_(clock)
    {
    }
    ~closed_repository()
    {
        if (!until_ || moved_) return;
        try {
            places_.open(id_);
        } catch (const std::exception&) {
            // It opens by itself, soon.
            until_.reset();
        }
    }
    closed_repository(const closed_repository&) = delete;
    closed_repository& operator=(const closed_repository&) = delete;

    void begin()
    {
        until_ = clock_.now() + closed_for;
        places_.close(id_, *until_);
    }
    void renew()
    {
        if (until_ && *until_ - clock_.now() < closed_for / 2) begin();
    }
    void moved() { moved_ = true; }

private:
    store::storage_places places_;
    const domain::repository_id& id_;
    const base::clock& clock_;
    std::optional<base::time_point> until_;
    bool moved_ = false;
};

class move {
public:
    move(const move_parts& p, const domain::repository_id& id, storage_place& from, storage_place& to)
        : p_(p), id_(id), to_(to), gate_(p.store.places(), id, p.clock),
          copy_(*from.storage, *to.storage, p.store.objects(), id, [this] { before_each(); })
    {
    }

    result<> run()
    {
        if (auto ok = to_.storage->create_repository(id_.text); !ok) return ok;
        if (auto ok = copy_.look(); !ok) return ok;
        for (int n = 0; n < most_open_rounds; ++n) {
            const auto changes = copy_.round();
            if (!changes) return std::unexpected(changes.error());
            if (*changes <= little) break;
        }
        return close_and_switch();
    }

    moved_amount amount() const { return {copy_.objects(), copy_.bytes()}; }

private:
    result<> close_and_switch()
    {
        gate_.begin();
        for (int n = 0; n < most_closed_rounds; ++n) {
            const auto place = p_.store.objects().state(id_).place;
            if (auto changes = copy_.round(); !changes) return failed(changes);
            const auto where = to_.id == p_.all.own_id() ? std::string{} : to_.id;
            if (!p_.store.places().move_to(id_, where, place, p_.clock.now())) continue;
            gate_.moved();
            return {};
        }
        return fail(fault_code::conflict, "the repository kept changing although it is closed",
                    "Look whether other commands work on it, and try again");
    }

    void before_each()
    {
        gate_.renew();
        if (p_.clock.elapsed() - said_ < between_lines) return;
        said_ = p_.clock.elapsed();
        p_.say(base::counted(copy_.objects(), "object") + " (" + base::to_size(copy_.bytes()) + ") copied so far");
    }

    const move_parts& p_;
    const domain::repository_id& id_;
    storage_place& to_;
    closed_repository gate_;
    repository_copy copy_;
    microseconds said_ = p_.clock.elapsed();
};

// Where an earlier move was cut short after the switch, too.
result<> remove_elsewhere(const move_parts& p, const domain::repository_id& id, const std::string& storage_id,
                          const std::string& from)
{
    p.pause(before_removal);
    for (const auto& other : p.all.ids()) {
        if (other == storage_id) continue;
        auto place = p.all.find(other);
        if (!place) return failed(place);
        // One that is away is in the way of no move between two others.
        if (other != from && !(*place)->storage->ready()) continue;
        auto there = (*place)->storage->repositories();
        if (!there) return failed(there);
        if (std::ranges::find(*there, id.text) == there->end()) continue;
        if (auto ok = (*place)->storage->drop_repository(id.text); !ok) return ok;
    }
    return {};
}

} // namespace

result<moved_amount> move_repository(const move_parts& p, const domain::repository_id& id,
                                     const std::string& storage_id)
{
    const auto alone = p.store.lock_of(id);
    if (!alone)
        return fail(fault_code::conflict, "another command works on this repository", "Wait until it has ended");
    auto from = p.all.of(id.text);
    if (!from) return failed(from);
    auto to = p.all.find(storage_id);
    if (!to) return failed(to);
    moved_amount amount;
    if (*from != *to) {
        for (auto* place : {*from, *to})
            if (auto ok = place->storage->ready(); !ok) return failed(ok);
        move m{p, id, **from, **to};
        if (auto ok = m.run(); !ok) return failed(ok);
        amount = m.amount();
    }
    if (auto ok = remove_elsewhere(p, id, storage_id, (*from)->id); !ok)
        return fail(ok.error().code,
                    "The repository lies on the new storage, but what lay on the old one could not be removed: " +
                        ok.error().message,
                    "Run the same command again");
    return amount;
}

} // namespace xentz::apps
