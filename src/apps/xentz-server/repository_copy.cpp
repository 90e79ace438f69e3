#include "repository_copy.hpp"

#include "object_key.hpp"
#include "repo/guarded_store.hpp"

#include <array>
#include <vector>

namespace xentz::apps {
namespace {

using base::fail;
using base::failed;
using base::fault_code;
using base::result;
using repo::object_key;
using repo::object_type;
using store::object_life;

constexpr std::array listed{object_type::keys, object_type::locks, object_type::snapshots, object_type::index,
                            object_type::data};
constexpr std::size_t piece = std::size_t{256} * 1024;
constexpr int most_attempts = 3;

std::string part_of(const std::string& name) { return name.substr(0, 2); }

} // namespace

result<> repository_copy::look()
{
    for (const auto type : listed) {
        auto list = to_.list(id_.text, type);
        if (!list) return failed(list);
        for (;;) {
            auto object = (*list)->next();
            if (!object) return failed(object);
            if (!*object) break;
            there_[type][part_of((*object)->name)].insert((*object)->name);
        }
    }
    auto config = to_.open({id_.text, object_type::config, {}});
    if (config) {
        auto hash = repo::hash_of(**config);
        if (!hash) return failed(hash);
        config_hash_ = std::move(*hash);
    } else if (config.error().code != fault_code::not_found) {
        return failed(config);
    }
    return to_.list_buried(id_.text, [this](const repo::trash_entry& e) {
        buried_.emplace(e.place, e);
        return true;
    });
}

result<std::uint64_t> repository_copy::round()
{
    constexpr std::string_view digits = "0123456789abcdef";
    changes_ = 0;
    if (auto ok = trash(); !ok) return failed(ok);
    if (auto ok = config(); !ok) return failed(ok);
    for (const auto type : listed)
        for (const char high : digits)
            for (const char low : digits)
                if (auto ok = present(type, {high, low}); !ok) return failed(ok);
    return changes_;
}

void repository_copy::changed()
{
    ++changes_;
    before_each_();
}

// Before what is present: an object on its way into the trash is there already, and need not be sent again.
result<> repository_copy::trash()
{
    std::set<std::int64_t> wanted;
    for (const auto& l : objects_.in_trash(id_)) {
        wanted.insert(l.place);
        if (buried_.contains(l.place)) continue;
        if (auto ok = bury(l); !ok) return ok;
    }
    for (auto at = buried_.begin(); at != buried_.end();) {
        if (wanted.contains(at->first)) {
            ++at;
            continue;
        }
        changed();
        if (auto ok = to_.destroy(at->second); !ok) return ok;
        at = buried_.erase(at);
    }
    return {};
}

result<> repository_copy::bury(const object_life& l)
{
    changed();
    const auto slot = slot_of(l);
    const bool is_config = slot.key.type == object_type::config;
    auto& known = there_[slot.key.type][part_of(slot.key.name)];
    const bool is_there = is_config ? config_hash_ == l.hash : known.contains(slot.key.name);
    if (!is_there) {
        if (is_config && !config_hash_.empty())
            if (auto ok = to_.remove(slot.key); !ok) return ok;
        if (is_config) config_hash_.clear();
        auto reader = source_of(l);
        if (!reader) return failed(reader);
        if (!*reader) return {}; // it has left meanwhile
        if (auto ok = send(**reader, slot.key, static_cast<std::uint64_t>(l.bytes)); !ok) return ok;
    }
    if (auto ok = to_.bury(slot); !ok) return ok;
    if (is_config)
        config_hash_.clear();
    else
        known.erase(slot.key.name);
    buried_.emplace(l.place, slot);
    return {};
}

result<> repository_copy::config()
{
    const object_key key{id_.text, object_type::config, {}};
    const auto row = objects_.present(id_, "config", "");
    if (row && row->hash == config_hash_) return {};
    if (!config_hash_.empty()) {
        changed();
        if (auto ok = to_.remove(key); !ok) return ok;
        config_hash_.clear();
    }
    if (!row) return {};
    if (auto ok = copy(*row); !ok) return ok;
    config_hash_ = row->hash;
    return {};
}

result<> repository_copy::present(object_type type, const std::string& part)
{
    auto& known = there_[type][part];
    std::set<std::string> wanted;
    for (const auto& l : objects_.present(id_, name(type), part, part + "g")) {
        wanted.insert(l.name);
        if (known.contains(l.name)) continue;
        if (auto ok = copy(l); !ok) return ok;
        known.insert(l.name);
    }
    for (auto at = known.begin(); at != known.end();) {
        if (wanted.contains(*at)) {
            ++at;
            continue;
        }
        changed();
        if (auto ok = to_.remove({id_.text, type, *at}); !ok) return ok;
        at = known.erase(at);
    }
    return {};
}

result<> repository_copy::copy(const object_life& l)
{
    changed();
    for (int attempt = 1;; ++attempt) {
        auto reader = source_of(l);
        if (!reader) return failed(reader);
        if (!*reader) return {}; // it has left meanwhile, which the next round sees
        auto sent = send(**reader, key_of(l), static_cast<std::uint64_t>(l.bytes));
        // A server that starts sweeps what it takes for the rest of an upload that was cut short.
        const bool may_be_swept = !sent && sent.error().code == fault_code::not_found;
        if (!may_be_swept || attempt == most_attempts) return sent;
    }
}

// Nothing where its row says by now that it is elsewhere.
result<std::unique_ptr<repo::object_reader>> repository_copy::source_of(const object_life& l)
{
    std::unique_ptr<repo::object_reader> none;
    auto reader = l.in_trash ? from_.open_buried(slot_of(l)) : from_.open(key_of(l));
    if (reader || reader.error().code != fault_code::not_found) return reader;
    const auto now = objects_.life(id_, l.place);
    if (!now || now->in_trash != l.in_trash || now->left_place != l.left_place) return none;
    // Its row came first, and the file follows, or a crash has kept it from following.
    auto other = l.in_trash ? from_.open(key_of(l)) : from_.open_buried(slot_of(l));
    if (other || other.error().code != fault_code::not_found) return other;
    for (const auto& earlier : objects_.lives_of(id_, l.type, l.hash))
        if (auto buried = from_.open_buried(slot_of(earlier))) return buried;
    return fail(fault_code::repository_damaged, l.type + "/" + (l.name.empty() ? l.hash : l.name) + " is missing",
                "See `xentz-server repo verify`, and let restic repair the repository first");
}

result<> repository_copy::send(repo::object_reader& reader, const object_key& key, std::uint64_t bytes)
{
    auto in = to_.receive(key, bytes);
    if (!in) return failed(in);
    reader.expect(0, bytes);
    std::vector<char> buffer(piece);
    for (std::uint64_t offset = 0; offset < bytes;) {
        auto n = reader.read(offset, buffer);
        if (!n) return failed(n);
        if (*n == 0) break;
        if (auto ok = (*in)->write(std::span{buffer}.first(*n)); !ok) return ok;
        offset += *n;
    }
    auto done = (*in)->commit();
    if (!done && done.error().code == fault_code::invalid_value)
        return fail(fault_code::repository_damaged,
                    std::string{name(key.type)} + "/" + key.name + " is damaged: its bytes have another hash",
                    "See `xentz-server repo verify`, and let restic repair the repository first");
    if (!done) return done;
    ++count_;
    bytes_ += bytes;
    return {};
}

} // namespace xentz::apps
