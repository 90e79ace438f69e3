#include "repo/memory_blob_store.hpp"

#include "crypto/hash.hpp"

#include <utility>
#include <vector>

namespace xentz::repo {

using base::fail;
using base::failed;
using base::fault_code;

class memory_blob_store::upload final : public incoming {
public:
    upload(memory_blob_store& store, object_key key) : store_(store), key_(std::move(key)) {}
    base::result<> write(std::span<const char> bytes) override
    {
        bytes_.append(bytes.data(), bytes.size());
        return {};
    }
    base::result<> commit() override
    {
        if (key_.type != object_type::config && crypto::sha256_hex(bytes_) != key_.name)
            return fail(fault_code::invalid_value, "the bytes do not have the hash that their name claims");
        return store_.store(key_, std::move(bytes_));
    }

private:
    memory_blob_store& store_;
    object_key key_;
    std::string bytes_;
};

class memory_blob_store::walk final : public object_list {
public:
    walk(const memory_blob_store& store, std::string repository, object_type type)
        : store_(store), last_(std::move(repository), type, std::string{})
    {
    }
    base::result<std::optional<object_info>> next() override
    {
        const std::lock_guard guard{store_.mutex_};
        const auto at = store_.objects_.upper_bound(last_);
        if (at == store_.objects_.end() || std::get<0>(at->first) != std::get<0>(last_) ||
            std::get<1>(at->first) != std::get<1>(last_))
            return std::nullopt;
        last_ = at->first;
        return object_info{std::get<2>(last_), at->second->bytes.size()};
    }

private:
    const memory_blob_store& store_;
    place last_;
};

class memory_blob_store::reader final : public object_reader {
public:
    explicit reader(content what) : what_(std::move(what)) {}
    std::uint64_t size() const override { return what_->bytes.size(); }
    base::time_point stored_at() const override { return what_->stored_at; }
    base::result<std::size_t> read(std::uint64_t offset, std::span<char> out) override
    {
        if (offset >= size()) return std::size_t{0};
        return what_->bytes.copy(out.data(), out.size(), static_cast<std::size_t>(offset));
    }

private:
    content what_;
};

void memory_blob_store::set_available(bool available)
{
    const std::lock_guard guard{mutex_};
    available_ = available;
}

void memory_blob_store::set_now(base::time_point now)
{
    const std::lock_guard guard{mutex_};
    now_ = now;
}

base::result<> memory_blob_store::ready()
{
    const std::lock_guard guard{mutex_};
    if (available_) return {};
    return fail(fault_code::repository_unavailable, "the storage is not there");
}

base::result<> memory_blob_store::check(const object_key& key) const
{
    if (auto ok = check_key(key); !ok) return ok;
    if (available_) return {};
    return fail(fault_code::repository_unavailable, "the storage is not there");
}

base::result<> memory_blob_store::create_repository(std::string_view repository_id)
{
    if (auto ok = check_repository_id(repository_id); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    const std::lock_guard guard{mutex_};
    repositories_.emplace(repository_id);
    return {};
}

base::result<std::unique_ptr<incoming>> memory_blob_store::receive(const object_key& key, std::uint64_t)
{
    const std::lock_guard guard{mutex_};
    if (auto ok = check(key); !ok) return failed(ok);
    if (!repositories_.contains(key.repository_id))
        return fail(fault_code::not_found, "there is no repository " + key.repository_id);
    return std::make_unique<upload>(*this, key);
}

base::result<> memory_blob_store::store(const object_key& key, std::string bytes)
{
    const std::lock_guard guard{mutex_};
    if (auto ok = check(key); !ok) return ok;
    auto& slot = objects_[{key.repository_id, key.type, key.name}];
    if (slot && key.type == object_type::config && slot->bytes != bytes)
        return fail(fault_code::conflict, "the repository " + key.repository_id + " has another config already");
    slot = std::make_shared<const object>(std::move(bytes), now_);
    return {};
}

base::result<memory_blob_store::content> memory_blob_store::find(const object_key& key) const
{
    const std::lock_guard guard{mutex_};
    if (auto ok = check(key); !ok) return failed(ok);
    const auto at = objects_.find({key.repository_id, key.type, key.name});
    if (at == objects_.end()) return fail(fault_code::not_found, "there is no such object");
    return at->second;
}

base::result<std::unique_ptr<object_reader>> memory_blob_store::open(const object_key& key)
{
    auto bytes = find(key);
    if (!bytes) return failed(bytes);
    return std::make_unique<reader>(std::move(*bytes));
}

base::result<std::uint64_t> memory_blob_store::size(const object_key& key)
{
    auto bytes = find(key);
    if (!bytes) return failed(bytes);
    return std::uint64_t{(*bytes)->bytes.size()};
}

base::result<> memory_blob_store::remove(const object_key& key)
{
    const std::lock_guard guard{mutex_};
    if (auto ok = check(key); !ok) return ok;
    objects_.erase({key.repository_id, key.type, key.name});
    return {};
}

base::result<std::unique_ptr<object_list>> memory_blob_store::list(std::string_view repository_id, object_type type)
{
    if (auto ok = check_repository_id(repository_id); !ok) return failed(ok);
    if (type == object_type::config)
        return fail(fault_code::invalid_value, "there is one config, which cannot be listed");
    if (auto ok = ready(); !ok) return failed(ok);
    const std::lock_guard guard{mutex_};
    if (!repositories_.contains(repository_id))
        return fail(fault_code::not_found, "there is no repository " + std::string{repository_id});
    return std::make_unique<walk>(*this, std::string{repository_id}, type);
}

memory_blob_store::buried_place memory_blob_store::place_of(const trash_entry& e)
{
    return {e.key.repository_id, e.place, e.key.type, e.hash};
}

base::result<> memory_blob_store::bury(const trash_entry& e)
{
    const std::lock_guard guard{mutex_};
    if (auto ok = check(e.key); !ok) return ok;
    const auto at = objects_.find({e.key.repository_id, e.key.type, e.key.name});
    if (at == objects_.end()) return fail(fault_code::not_found, "there is no such object");
    trash_[place_of(e)] = at->second;
    objects_.erase(at);
    return {};
}

base::result<> memory_blob_store::unbury(const trash_entry& e)
{
    const std::lock_guard guard{mutex_};
    if (auto ok = check(e.key); !ok) return ok;
    const auto at = trash_.find(place_of(e));
    if (at == trash_.end()) return fail(fault_code::not_found, "there is no such entry in the trash");
    repositories_.emplace(e.key.repository_id);
    objects_[{e.key.repository_id, e.key.type, e.key.name}] = at->second;
    trash_.erase(at);
    return {};
}

base::result<> memory_blob_store::destroy(const trash_entry& e)
{
    const std::lock_guard guard{mutex_};
    if (auto ok = check(e.key); !ok) return ok;
    trash_.erase(place_of(e));
    return {};
}

base::result<std::unique_ptr<object_reader>> memory_blob_store::open_buried(const trash_entry& e)
{
    const std::lock_guard guard{mutex_};
    if (auto ok = check(e.key); !ok) return failed(ok);
    const auto at = trash_.find(place_of(e));
    if (at == trash_.end()) return fail(fault_code::not_found, "there is no such entry in the trash");
    return std::make_unique<reader>(at->second);
}

base::result<> memory_blob_store::list_buried(std::string_view repository_id,
                                              const std::function<bool(const trash_entry&)>& each)
{
    if (auto ok = ready(); !ok) return ok;
    std::vector<trash_entry> entries;
    {
        const std::lock_guard guard{mutex_};
        for (const auto& [where, bytes] : trash_) {
            const auto& [repository, number, type, hash] = where;
            if (repository != repository_id) continue;
            entries.push_back({{repository, type, type == object_type::config ? std::string{} : hash}, hash, number});
        }
    }
    for (const auto& e : entries)
        if (!each(e)) break;
    return {};
}

} // namespace xentz::repo
