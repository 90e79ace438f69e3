#include "repo/quota_store.hpp"

#include "base/size_text.hpp"

#include <utility>

namespace xentz::repo {

using base::fail;
using base::failed;
using base::fault_code;

// Disk space that an upload will take.
class quota_store::disk_share {
public:
    disk_share(quota_store& store, std::uint64_t bytes) : store_(store), bytes_(bytes) {}
    ~disk_share()
    {
        const std::lock_guard guard{store_.mutex_};
        store_.arriving_ -= bytes_;
    }
    disk_share(const disk_share&) = delete;
    disk_share& operator=(const disk_share&) = delete;

private:
    quota_store& store_;
    std::uint64_t bytes_;
};

class quota_store::upload final : public incoming {
public:
    upload(quota_store& store, object_key key, std::uint64_t most, std::unique_ptr<incoming> inner)
        : store_(store), key_(std::move(key)), most_(most), left_(most), inner_(std::move(inner))
    {
    }

    void keep(std::unique_ptr<disk_share> share, std::unique_ptr<reservation> reserved)
    {
        share_ = std::move(share);
        reserved_ = std::move(reserved);
    }

    base::result<> write(std::span<const char> bytes) override
    {
        if (bytes.size() > left_) return fail(fault_code::invalid_value, "more bytes arrived than were announced");
        left_ -= bytes.size();
        return inner_->write(bytes);
    }

    base::result<> commit() override
    {
        if (reserved_)
            if (auto ok = reserved_->settle(); !ok && !store_.is_there(key_, most_)) return ok;
        auto done = inner_->commit();
        reserved_.reset();
        share_.reset();
        return done;
    }

private:
    quota_store& store_;
    object_key key_;
    std::uint64_t most_;
    std::uint64_t left_;
    std::unique_ptr<disk_share> share_;
    std::unique_ptr<reservation> reserved_;
    std::unique_ptr<incoming> inner_;
};

base::result<std::unique_ptr<incoming>> quota_store::receive(const object_key& key, std::uint64_t most)
{
    std::unique_ptr<disk_share> share;
    std::unique_ptr<reservation> reserved;
    if (!is_there(key, most)) {
        auto room = book_.reserve(key, most);
        if (!room) return failed(room);
        reserved = std::move(*room);
        auto space = above_floor(most);
        if (!space) return failed(space);
        share = std::move(*space);
    }
    auto in = inner_.receive(key, most);
    if (!in) return failed(in);
    auto out = std::make_unique<upload>(*this, key, most, std::move(*in));
    out->keep(std::move(share), std::move(reserved));
    return out;
}

bool quota_store::is_there(const object_key& key, std::uint64_t bytes)
{
    const auto present = inner_.size(key);
    return present && *present == bytes;
}

base::result<std::unique_ptr<quota_store::disk_share>> quota_store::above_floor(std::uint64_t bytes)
{
    const std::lock_guard guard{mutex_};
    const auto free = floor_.free ? floor_.free() : std::nullopt;
    if (free && floor_.bytes + arriving_ + bytes > *free)
        return fail(fault_code::disk_full, "the disk of the storage has less than " + base::to_size(floor_.bytes) +
                                               " left besides this object");
    arriving_ += bytes;
    return std::make_unique<disk_share>(*this, bytes);
}

} // namespace xentz::repo
