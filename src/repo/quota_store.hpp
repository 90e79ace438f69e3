// A blob store that takes an object only where there is room for it: within the quotas, as a room_book says, and above
// a floor of free disk space.
//
// Room is reserved for the whole announced length before the first byte, and given back when the upload ends, however
// it ends. An object that is there already needs no room. Faults: as blob_store.hpp; repository_full for a quota,
// disk_full for the floor. A book that cannot be read is repository_unavailable.
// Threads: any. The floor is this process's own: it counts what arrives here.
#pragma once

#include "repo/blob_store.hpp"
#include "repo/room_book.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

namespace xentz::repo {

struct disk_floor {
    std::uint64_t bytes = 0;
    std::function<std::optional<std::uint64_t>()> free; // nothing where it cannot be known
};

class quota_store final : public blob_store {
public:
    // All must outlive it and every incoming object.
    quota_store(blob_store& inner, room_book& book, disk_floor floor)
        : inner_(inner), book_(book), floor_(std::move(floor))
    {
    }

    base::result<> ready() override { return inner_.ready(); }
    base::result<> create_repository(std::string_view id) override { return inner_.create_repository(id); }
    base::result<std::unique_ptr<incoming>> receive(const object_key& key, std::uint64_t most) override;
    base::result<std::unique_ptr<object_reader>> open(const object_key& key) override { return inner_.open(key); }
    base::result<std::uint64_t> size(const object_key& key) override { return inner_.size(key); }
    base::result<> remove(const object_key& key) override { return inner_.remove(key); }
    base::result<std::unique_ptr<object_list>> list(std::string_view repository_id, object_type type) override
    {
        return inner_.list(repository_id, type);
    }

private:
    class disk_share;
    class upload;

    bool is_there(const object_key& key, std::uint64_t bytes);
    base::result<std::unique_ptr<disk_share>> above_floor(std::uint64_t bytes);

    blob_store& inner_;
    room_book& book_;
    disk_floor floor_;
    std::mutex mutex_;
    std::uint64_t arriving_ = 0; // bytes that uploads under way will still take from the disk, at most
};

} // namespace xentz::repo
