#include "repo/s3_blob_store.hpp"

#include "base/hex.hpp"
#include "crypto/hash.hpp"
#include "repo/spooled_object.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace xentz::repo {

using base::fail;
using base::failed;
using base::fault_code;

namespace {

constexpr std::size_t most_config_bytes = std::size_t{1} << 20U;
constexpr int most_config_attempts = 5;

} // namespace

class s3_blob_store::upload final : public incoming {
public:
    upload(s3_blob_store& store, object_key key)
        : store_(store), key_(std::move(key)), spooled_(store.options_.spool_folder)
    {
    }

    base::result<> write(std::span<const char> bytes) override { return spooled_.write(bytes); }

    base::result<> commit() override
    {
        const auto body = spooled_.finish();
        const bool is_config = key_.type == object_type::config;
        if (!is_config && body.sha256 != key_.name)
            return fail(fault_code::invalid_value, "the bytes do not have the hash that their name claims",
                        "Send the object again; where that does not help, check the memory of the sending machine");
        // The bucket may have become another one since the upload began.
        if (auto ok = store_.lately_ready(); !ok) return ok;
        if (is_config) return store_.place_config(key_, body);
        // Replaces what is there: the bytes have the hash of the name, so they are the same or heal a damaged object.
        auto put = store_.client_->put(store_.layout_.file(key_).string(), body);
        if (!put) return std::unexpected(store_.unusable(std::move(put.error())));
        return {};
    }

private:
    s3_blob_store& store_;
    object_key key_;
    spooled_object spooled_;
};

class s3_blob_store::reader final : public object_reader {
public:
    reader(s3_blob_store& store, std::string key, s3::object_head head, bool may_be_replaced)
        : store_(store), key_(std::move(key)), head_(std::move(head)), may_be_replaced_(may_be_replaced)
    {
    }

    std::uint64_t size() const override { return head_.bytes; }
    base::time_point stored_at() const override { return head_.stored_at; }

    void expect(std::uint64_t offset, std::uint64_t length) override
    {
        expected_ = offset;
        expected_end_ = std::min(offset + length, head_.bytes);
    }

    base::result<std::size_t> read(std::uint64_t offset, std::span<char> out) override
    {
        if (offset >= head_.bytes || out.empty()) return std::size_t{0};
        if (!part_ || offset != next_) begin(offset);
        auto n = part_->read(out);
        if (!n) return std::unexpected(broken(std::move(n.error())));
        next_ += *n;
        if (next_ == end_) part_.reset();
        return n;
    }

private:
    void begin(std::uint64_t offset)
    {
        next_ = offset;
        end_ = offset >= expected_ && offset < expected_end_ ? expected_end_ : head_.bytes;
        // Bytes that are named by their hash are the same in every version.
        part_ = store_.client_->get_part(key_, next_, end_ - next_, may_be_replaced_ ? head_.tag : std::string{});
    }

    base::fault broken(base::fault f)
    {
        part_.reset();
        if (f.code != fault_code::conflict && f.code != fault_code::not_found) return store_.unusable(std::move(f));
        return {fault_code::file_failed, "the object " + key_ + " was replaced or removed while it was read", {}};
    }

    s3_blob_store& store_;
    std::string key_;
    s3::object_head head_;
    bool may_be_replaced_;
    std::uint64_t expected_ = 0;
    std::uint64_t expected_end_ = 0;
    std::uint64_t next_ = 0;
    std::uint64_t end_ = 0;
    std::unique_ptr<s3::download> part_;
};

class s3_blob_store::walk final : public object_list {
public:
    walk(s3_blob_store& store, std::string prefix, object_type type)
        : store_(store), prefix_(std::move(prefix)), is_sharded_(type == object_type::data)
    {
    }

    base::result<> turn()
    {
        auto p = store_.page_of({.prefix = prefix_, .after = page_.next});
        if (!p) return failed(p);
        page_ = std::move(*p);
        at_ = 0;
        return {};
    }
    bool is_empty() const { return page_.objects.empty() && page_.next.empty(); }

    base::result<std::optional<object_info>> next() override
    {
        for (;;) {
            if (at_ == page_.objects.size()) {
                if (page_.next.empty()) return std::nullopt;
                if (auto ok = turn(); !ok) return failed(ok);
                continue;
            }
            const auto& o = page_.objects[at_++];
            auto name = name_in(o.key);
            if (!name.empty()) return object_info{std::move(name), o.bytes};
        }
    }

private:
    // Empty for what is no object.
    std::string name_in(const std::string& key) const
    {
        constexpr std::size_t shard = 3; // "ab/"
        if (!key.starts_with(prefix_)) return {};
        auto name = key.substr(prefix_.size());
        if (is_sharded_) {
            if (name.size() <= shard || name.substr(0, shard) != name.substr(shard, 2) + "/") return {};
            name.erase(0, shard);
        }
        return base::is_sha256_hex(name) ? name : std::string{};
    }

    s3_blob_store& store_;
    std::string prefix_;
    bool is_sharded_;
    s3::page page_;
    std::size_t at_ = 0;
};

s3_blob_store::s3_blob_store(std::unique_ptr<s3::client> client, std::string storage_id, const base::clock& clock,
                             s3_store_options options)
    : client_(std::move(client)), storage_id_(std::move(storage_id)), clock_(clock), options_(std::move(options)),
      ready_at_(std::numeric_limits<std::int64_t>::min() / 2)
{
}

base::result<std::unique_ptr<s3_blob_store>> s3_blob_store::open(std::unique_ptr<s3::client> client,
                                                                 std::string storage_id, const base::clock& clock,
                                                                 s3_store_options options)
{
    if (storage_id.empty()) return fail(fault_code::invalid_value, "the id of the storage is not known");
    return std::unique_ptr<s3_blob_store>{
        new s3_blob_store{std::move(client), std::move(storage_id), clock, std::move(options)}};
}

base::result<> s3_blob_store::lately_ready()
{
    if (clock_.elapsed().count() - ready_at_ < options_.identity_known_for.count()) return {};
    return ready();
}

// "Not found" is only said of a storage that is there.
base::fault s3_blob_store::explained(base::fault f)
{
    if (f.code != fault_code::not_found) return unusable(std::move(f));
    auto here = lately_ready();
    return here ? std::move(f) : std::move(here.error());
}

base::fault s3_blob_store::unusable(base::fault f) const
{
    using enum fault_code;
    // Of this machine's own disk, where uploads wait, or faults that the contract knows.
    if (f.code == disk_full || f.code == file_failed || f.code == repository_unavailable) return f;
    return {repository_unavailable, "the storage at " + client_->where().name() + " cannot be used: " + f.message,
            std::move(f.remedy)};
}

base::result<> s3_blob_store::create_repository(std::string_view repository_id)
{
    if (auto ok = check_repository_id(repository_id); !ok) return ok;
    if (auto ok = lately_ready(); !ok) return ok;
    return mark_created(repository_id);
}

base::result<> s3_blob_store::mark_created(std::string_view repository_id)
{
    auto marked = client_->put(layout_.created(repository_id).string(), s3::payload_of(""));
    if (!marked) return std::unexpected(unusable(std::move(marked.error())));
    const std::lock_guard guard{known_mutex_};
    known_.emplace(repository_id);
    return {};
}

// By whatever lies in it: somebody may have copied a storage and left out what is empty.
base::result<bool> s3_blob_store::exists(std::string_view repository_id)
{
    auto first = page_of({.prefix = layout_.repository(repository_id).string() + "/", .most = 1});
    if (!first) return failed(first);
    if (first->objects.empty()) return false;
    const std::lock_guard guard{known_mutex_};
    known_.emplace(repository_id);
    return true;
}

base::result<> s3_blob_store::exists_or_not_found(std::string_view repository_id)
{
    auto there = exists(repository_id);
    if (!there) return failed(there);
    if (*there) return {};
    return std::unexpected(
        explained({fault_code::not_found, "there is no repository " + std::string{repository_id}, {}}));
}

base::result<std::unique_ptr<incoming>> s3_blob_store::receive(const object_key& key, std::uint64_t)
{
    if (auto ok = check_key(key); !ok) return failed(ok);
    if (auto ok = lately_ready(); !ok) return failed(ok);
    bool known = false;
    {
        const std::lock_guard guard{known_mutex_};
        known = known_.contains(key.repository_id);
    }
    if (!known)
        if (auto ok = exists_or_not_found(key.repository_id); !ok) return failed(ok);
    return std::make_unique<upload>(*this, key);
}

// Whoever comes second finds the first: the store takes no other where one is.
base::result<> s3_blob_store::place_config(const object_key& key, const s3::payload& body)
{
    const auto where = layout_.file(key).string();
    for (int attempt = 0; attempt < most_config_attempts; ++attempt) {
        auto put = client_->put(where, body, s3::when_present::refuse);
        if (put) return {};
        if (put.error().code != fault_code::conflict) return std::unexpected(unusable(std::move(put.error())));
        auto present = client_->get(where, most_config_bytes);
        if (!present && present.error().code == fault_code::not_found) continue; // removed meanwhile
        if (!present && present.error().code != fault_code::invalid_value)
            return std::unexpected(unusable(std::move(present.error())));
        if (present && crypto::sha256_hex(*present) == body.sha256) return {};
        return fail(fault_code::conflict, "the repository " + key.repository_id + " has another config already",
                    "Remove the config first where the repository is really to be made anew");
    }
    return fail(fault_code::repository_unavailable, "the config of the repository " + key.repository_id +
                                                        " comes and goes: others write it at the same time");
}

base::result<std::unique_ptr<object_reader>> s3_blob_store::open(const object_key& key)
{
    if (auto ok = check_key(key); !ok) return failed(ok);
    return open_at(layout_.file(key).string(), key.type == object_type::config);
}

base::result<std::unique_ptr<object_reader>> s3_blob_store::open_at(std::string key, bool may_be_replaced)
{
    auto head = client_->head(key);
    if (!head) return std::unexpected(explained(std::move(head.error())));
    return std::make_unique<reader>(*this, std::move(key), std::move(*head), may_be_replaced);
}

base::result<std::uint64_t> s3_blob_store::size(const object_key& key)
{
    if (auto ok = check_key(key); !ok) return failed(ok);
    auto head = client_->head(layout_.file(key).string());
    if (!head) return std::unexpected(explained(std::move(head.error())));
    return head->bytes;
}

base::result<> s3_blob_store::remove(const object_key& key)
{
    if (auto ok = check_key(key); !ok) return ok;
    if (auto ok = lately_ready(); !ok) return ok;
    auto removed = client_->remove(layout_.file(key).string());
    if (!removed) return std::unexpected(unusable(std::move(removed.error())));
    return {};
}

base::result<s3::page> s3_blob_store::page_of(const s3::client::list_request& l)
{
    auto p = client_->list(l);
    if (!p) return std::unexpected(unusable(std::move(p.error())));
    return p;
}

base::result<std::unique_ptr<object_list>> s3_blob_store::list(std::string_view repository_id, object_type type)
{
    if (auto ok = check_repository_id(repository_id); !ok) return failed(ok);
    if (type == object_type::config)
        return fail(fault_code::invalid_value, "there is one config, which cannot be listed");
    const auto prefix = (layout_.repository(repository_id) / name(type)).string() + "/";
    auto objects = std::make_unique<walk>(*this, prefix, type);
    if (auto ok = objects->turn(); !ok) return failed(ok);
    // Nothing of a type, or no repository, or not even the right bucket.
    if (objects->is_empty())
        if (auto ok = exists_or_not_found(repository_id); !ok) return failed(ok);
    return objects;
}

} // namespace xentz::repo
