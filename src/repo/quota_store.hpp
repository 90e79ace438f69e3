// A blob store that takes an object only where there is room for it: within the quota of the repository and of its
// tenant, within what present objects and the trash may take together, and above a floor of free disk space.
//
// Room is reserved for the whole announced length before the first byte, so that parallel uploads never exceed a quota
// by a byte, and given back when the upload ends, however it ends. What is stored is counted by the book (the journal
// behind `inner`); a reservation lasts from `receive` until the book counts the object. An object that is there
// already needs no room. Locks and indexes may exceed a quota by a little: restic needs them to prune a full
// repository. Faults: as blob_store.hpp; repository_full for a quota, disk_full for the floor. A book that throws is
// repository_unavailable.
// Threads: any. One process serves a storage, so its reservations are all there are.
#pragma once

#include "repo/blob_store.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace xentz::repo {

// What a repository and its tenant hold, and what they may hold.
struct room {
    std::string tenant;
    std::uint64_t live = 0;
    std::uint64_t trash = 0;
    std::uint64_t tenant_live = 0;
    std::uint64_t tenant_trash = 0;
    std::optional<std::uint64_t> quota;
    std::optional<std::uint64_t> tenant_quota;
    std::uint64_t trash_factor = 2; // live and trash together: at most the quota times this
};

class room_book {
public:
    virtual ~room_book() = default;
    virtual room room_of(const std::string& repository_id) = 0;
};

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
    class reservation;
    class upload;
    struct pending {
        std::map<std::string, std::uint64_t> of_repository;
        std::map<std::string, std::uint64_t> of_tenant;
        std::uint64_t whole = 0;
    };

    base::result<std::unique_ptr<reservation>> reserve(const object_key& key, std::uint64_t bytes);
    base::result<> fits(const room& r, const object_key& key, std::uint64_t bytes);
    base::result<> above_floor(std::uint64_t bytes);

    blob_store& inner_;
    room_book& book_;
    disk_floor floor_;
    std::mutex mutex_;
    std::condition_variable settled_;
    pending reserved_;
    std::uint64_t settling_ = 0; // uploads between the book's entry and the end of their reservation, at most
};

} // namespace xentz::repo
