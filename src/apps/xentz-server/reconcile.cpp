#include "reconcile.hpp"

#include "object_key.hpp"
#include "os/stop.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace xentz::apps {
namespace {

using base::fault_code;
using base::result;
using repo::object_key;
using repo::object_type;
using repo::trash_entry;
using store::object_life;

// Past every name of hex digits.
constexpr std::string_view beyond = "g";
// So many are taken in together: one transaction of the database, during which nothing is moved.
constexpr std::size_t most_pending = 256;
// More than this is no other server's work, but what a restored database does not know.
constexpr std::size_t most_unknown = 1000;

class pass {
public:
    pass(const reconcile_parts& p, const domain::repository_id& id, const std::stop_token& stop)
        : p_(p), id_(id), stop_(stop)
    {
    }

    result<reconciliation> run()
    {
        if (auto ok = config(); !ok) return base::failed(ok);
        for (const auto type :
             {object_type::keys, object_type::locks, object_type::snapshots, object_type::index, object_type::data})
            if (auto ok = present(type); !ok) return base::failed(ok);
        if (auto ok = look_again(); !ok) return base::failed(ok);
        if (auto ok = files_of_the_trash(); !ok) return base::failed(ok);
        if (auto ok = rows_of_the_trash(); !ok) return base::failed(ok);
        return found_;
    }

private:
    object_key key(object_type type, const std::string& name) const { return {id_.text, type, name}; }
    bool is_present(const object_key& k) { return p_.blobs.size(k).has_value(); }
    bool is_buried(const trash_entry& e) { return p_.trash.open_buried(e).has_value(); }

    result<> config()
    {
        const auto k = key(object_type::config, {});
        auto size = p_.blobs.size(k);
        if (size) {
            auto ok = unknown(k, *size);
            return ok ? settle_pending() : ok;
        }
        if (size.error().code != fault_code::not_found) return base::failed(size);
        if (const auto row = p_.objects.present(id_, "config", "")) return missing(*row);
        return {};
    }

    // Names are compared by their first two digits, so that a repository of millions is never in memory.
    result<> present(object_type type)
    {
        auto list = p_.blobs.list(id_.text, type);
        if (!list) return list.error().code == fault_code::not_found ? result<>{} : base::failed(list);
        std::map<std::string, std::map<std::string, object_life>> open;
        for (;;) {
            auto object = (*list)->next();
            if (!object) return base::failed(object);
            if (!*object || stop_.stop_requested()) break;
            const auto part = (*object)->name.substr(0, 2);
            auto at = open.find(part);
            if (at == open.end()) {
                // The disk lists data folder by folder: what was begun before is complete.
                if (type == object_type::data)
                    if (auto ok = close(open); !ok) return ok;
                seen_[type].insert(part);
                at = open.emplace(part, rows_of(type, part)).first;
            }
            if (at->second.erase((*object)->name) > 0) continue;
            if (auto ok = unknown(key(type, (*object)->name), (*object)->size); !ok) return ok;
        }
        if (auto ok = settle_pending(); !ok || stop_.stop_requested()) return ok;
        if (auto ok = close(open); !ok) return ok;
        return parts_without_files(type);
    }

    std::map<std::string, object_life> rows_of(object_type type, const std::string& part)
    {
        std::map<std::string, object_life> out;
        for (auto& l : p_.objects.present(id_, name(type), part, part + std::string{beyond})) out.emplace(l.name, l);
        return out;
    }

    result<> close(std::map<std::string, std::map<std::string, object_life>>& open)
    {
        for (const auto& [part, rows] : open)
            for (const auto& [name, life] : rows)
                if (auto ok = missing(life); !ok) return ok;
        open.clear();
        return {};
    }

    result<> parts_without_files(object_type type)
    {
        constexpr std::string_view digits = "0123456789abcdef";
        for (const char high : digits)
            for (const char low : digits) {
                const std::string part{high, low};
                if (seen_[type].contains(part)) continue;
                for (const auto& [name, life] : rows_of(type, part))
                    if (auto ok = missing(life); !ok) return ok;
            }
        return {};
    }

    // A file that no row calls present.
    result<> unknown(const object_key& k, std::uint64_t bytes)
    {
        if (p_.objects.present(id_, name(k.type), k.name)) return {};
        pending_.emplace_back(k, bytes);
        return pending_.size() < most_pending ? result<>{} : settle_pending();
    }

    result<> settle_pending()
    {
        const auto pending = std::exchange(pending_, {});
        if (pending.empty()) return {};
        std::vector<store::object_journal::arrival> arrivals;
        const auto still = p_.guarded.hold_still();
        for (const auto& [key, bytes] : pending)
            if (auto ok = settle(key, bytes, arrivals); !ok) return ok;
        found_.taken_in += arrivals.size();
        p_.objects.arrived_together(std::move(arrivals));
        return {};
    }

    result<> settle(const object_key& k, std::uint64_t bytes, std::vector<store::object_journal::arrival>& arrivals)
    {
        if (p_.objects.present(id_, name(k.type), k.name) || !is_present(k)) return {};
        auto reader = p_.blobs.open(k);
        if (!reader) return base::failed(reader);
        auto hash = k.type == object_type::config ? repo::hash_of(**reader) : result<std::string>{k.name};
        if (!hash) return base::failed(hash);
        for (const auto& l : p_.objects.lives_of(id_, name(k.type), *hash))
            // Where its slot is filled, this is another copy, which somebody may be storing right now.
            if (l.in_trash && !is_buried(slot_of(l))) {
                ++found_.moved;
                return p_.trash.bury(slot_of(l));
            }
        if (p_.patience > std::chrono::seconds{0} && !is_second_look_ && unknown_.size() < most_unknown) {
            unknown_.emplace_back(k, bytes);
            return {};
        }
        const store::object_identity o{std::string{name(k.type)}, k.name, *hash, static_cast<std::int64_t>(bytes)};
        arrivals.push_back({id_, o, p_.clock.now(), p_.storage});
        return {};
    }

    // Another server may have been about to remove for good what it had struck off the journal.
    result<> look_again()
    {
        if (unknown_.empty() || !os::wait_for(p_.patience, stop_)) return {};
        is_second_look_ = true;
        for (const auto& [key, bytes] : unknown_)
            if (auto ok = unknown(key, bytes); !ok) return ok;
        return settle_pending();
    }

    // A row that is present, whose file was not listed.
    result<> missing(const object_life& l)
    {
        const auto still = p_.guarded.hold_still();
        const auto row = p_.objects.life(id_, l.place);
        if (!row || row->left_place || is_present(key_of(l))) return {};
        if (auto ok = p_.blobs.ready(); !ok) return ok;
        // A row is closed before its bytes are moved: another server may have begun just now.
        const auto still_open = p_.objects.life(id_, l.place);
        if (!still_open || still_open->left_place) return {};
        for (const auto& earlier : p_.objects.lives_of(id_, l.type, l.hash))
            if (is_buried(slot_of(earlier))) {
                ++found_.moved;
                return p_.trash.unbury(slot_of(earlier));
            }
        if (is_present(key_of(l))) return {}; // a command has moved it meanwhile
        report_lost(l, "is missing from the storage");
        return {};
    }

    void report_lost(const object_life& l, std::string_view how)
    {
        p_.objects.lost(id_, l.place, p_.clock.now(), p_.storage);
        ++found_.lost;
        p_.log.error("repository " + id_.text + ": " + l.type + "/" + l.name + " " + std::string{how});
    }

    result<> files_of_the_trash()
    {
        std::vector<trash_entry> odd;
        auto listed = p_.trash.list_buried(id_.text, [&](const trash_entry& e) {
            const auto row = p_.objects.life(id_, e.place);
            if (!row || !row->in_trash || row->hash != e.hash) odd.push_back(e);
            return !stop_.stop_requested();
        });
        if (!listed) return listed;
        for (const auto& e : odd)
            if (auto ok = odd_file_of_the_trash(e); !ok) return ok;
        return {};
    }

    result<> odd_file_of_the_trash(const trash_entry& e)
    {
        const auto still = p_.guarded.hold_still();
        const auto row = p_.objects.life(id_, e.place);
        if ((row && row->in_trash) || !is_buried(e)) return {};
        const auto live = p_.objects.present(id_, name(e.key.type), e.key.name);
        if (live && live->hash == e.hash && !is_present(e.key)) {
            ++found_.moved;
            return p_.trash.unbury(e);
        }
        if (row && row->hash == e.hash) {
            ++found_.removed;
            return p_.trash.destroy(e);
        }
        auto reader = p_.trash.open_buried(e);
        if (!reader) return base::failed(reader);
        const store::object_identity o{std::string{name(e.key.type)}, e.key.name, e.hash,
                                       static_cast<std::int64_t>((*reader)->size())};
        if (p_.objects.adopt_trash(id_, e.place, o, p_.clock.now(), p_.storage))
            ++found_.taken_in;
        else
            p_.log.error("repository " + id_.text + ": the place of " + o.type + "/" + o.hash +
                         " in the trash belongs to another object");
        return {};
    }

    result<> rows_of_the_trash()
    {
        for (const auto& l : p_.objects.in_trash(id_)) {
            if (stop_.stop_requested()) break;
            // In this order: a command that moves it meanwhile is seen at one of the three looks.
            if (is_buried(slot_of(l)) || is_present(key_of(l)) || is_buried(slot_of(l))) continue;
            const auto still = p_.guarded.hold_still();
            const auto row = p_.objects.life(id_, l.place);
            if (!row || !row->in_trash || is_buried(slot_of(l))) continue;
            if (auto ok = p_.blobs.ready(); !ok) return ok;
            report_lost(l, "is missing from the trash");
        }
        return {};
    }

    reconcile_parts p_;
    const domain::repository_id& id_;
    const std::stop_token& stop_;
    reconciliation found_;
    std::map<object_type, std::set<std::string>> seen_;
    std::vector<std::pair<object_key, std::uint64_t>> pending_; // until there are enough of them
    std::vector<std::pair<object_key, std::uint64_t>> unknown_;
    bool is_second_look_ = false;
};

} // namespace

result<reconciliation> reconcile(const reconcile_parts& p, const domain::repository_id& id, const std::stop_token& stop)
{
    return pass{p, id, stop}.run();
}

} // namespace xentz::apps
