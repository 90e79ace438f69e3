#include "control/undelete.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

namespace xentz::control {
namespace {

using store::object_life;
using identity = std::tuple<std::string_view, std::string_view>; // type and hash: the name follows from them

identity identity_of(const object_life& l) { return {l.type, l.hash}; }

bool was_present(const object_life& l, std::int64_t place)
{
    return l.place <= place && (!l.left_place || *l.left_place > place);
}

// What refers to others comes after them, so that a reader in between sees only whole snapshots.
std::size_t rank(const object_life& l)
{
    constexpr std::array<std::string_view, 5> order{"data", "index", "keys", "config", "snapshots"};
    return static_cast<std::size_t>(std::ranges::find(order, l.type) - order.begin());
}

class planner {
public:
    planner(const std::vector<object_life>& changes, const undelete_options& o) : options_(o)
    {
        for (const auto& l : changes) {
            if (!l.left_place) present_.emplace(identity_of(l), &l);
            if (l.in_trash) trash_[identity_of(l)] = &l;
            if (was_present(l, o.place)) then_.insert(identity_of(l));
        }
    }

    void consider(const object_life& l)
    {
        if (!l.left_place || l.type == "config" || l.type == "locks") return;
        if (options_.exact && !was_present(l, options_.place)) return;
        if (present_.contains(identity_of(l)) || !seen_.insert(identity_of(l)).second) return;
        if (l.type == "keys" && !options_.keys)
            ++plan.keys_left_out;
        else
            restore(l);
    }

    void config(const std::vector<object_life>& changes)
    {
        const object_life* wanted = nullptr;
        const object_life* newest = nullptr;
        for (const auto& l : changes) {
            if (l.type != "config" || !l.left_place) continue;
            if (was_present(l, options_.place)) wanted = &l;
            if (l.in_trash) newest = &l;
        }
        const auto now =
            std::ranges::find_if(present_, [](const auto& p) { return p.second->type == std::string_view{"config"}; });
        if (wanted == nullptr && now == present_.end() && !options_.exact) wanted = newest;
        if (now != present_.end() && (wanted != nullptr || options_.exact)) {
            if (wanted != nullptr && wanted->hash == now->second->hash) return;
            plan.bury.push_back(*now->second);
            plan.config_changes = true;
        }
        if (wanted == nullptr) return;
        plan.config_changes = true;
        restore(*wanted);
    }

    void bury_what_came_later()
    {
        for (const auto& [which, life] : present_)
            if (life->type != "config" && life->type != "locks" && !then_.contains(which)) plan.bury.push_back(*life);
    }

    undelete_plan plan;

private:
    void restore(const object_life& l)
    {
        const auto at = trash_.find(identity_of(l));
        if (at == trash_.end())
            plan.lost.push_back(l);
        else
            plan.restore.push_back(*at->second);
    }

    undelete_options options_;
    std::map<identity, const object_life*> present_; // came after the place
    std::map<identity, const object_life*> trash_;
    std::set<identity> then_; // present at the place
    std::set<identity> seen_;
};

std::int64_t count_keys(const std::vector<object_life>& lives)
{
    return std::ranges::count_if(lives, [](const object_life& l) { return l.type == "keys"; });
}

} // namespace

undelete_plan plan_undelete(const std::vector<object_life>& changes, const undelete_options& o)
{
    planner p{changes, o};
    for (const auto& l : changes) p.consider(l);
    p.config(changes);
    if (o.exact) p.bury_what_came_later();
    std::ranges::stable_sort(p.plan.restore, {}, rank);
    std::ranges::stable_sort(p.plan.bury, std::ranges::greater{}, rank);
    return std::move(p.plan);
}

base::result<> check_undelete(const undelete_plan& plan, std::int64_t keys_present)
{
    if (plan.restore.empty() && plan.bury.empty()) return {};
    if (keys_present + count_keys(plan.restore) - count_keys(plan.bury) > 0) return {};
    return base::fail(base::fault_code::conflict, "nobody could open the repository afterwards: it would have no key",
                      "Add --keys, which also brings back the keys that were removed");
}

} // namespace xentz::control
