// The room book of a storage that several processes may serve at once: reservations are rows of the fleet's database.
// Contract: repo/room_book.hpp.
#pragma once

#include "base/random.hpp"
#include "repo/room_book.hpp"
#include "store/upload_reservations.hpp"

namespace xentz::apps {

// A row's room as the repository server knows it.
repo::room to_room(const store::room& r);

class shared_room_book final : public repo::room_book {
public:
    // `random` must outlive it; it gives the reservations their ids.
    shared_room_book(std::shared_ptr<store::upload_reservations> rows, base::random_source& random)
        : rows_(std::move(rows)), random_(random)
    {
    }
    base::result<std::unique_ptr<repo::reservation>> reserve(const repo::object_key& key, std::uint64_t bytes) override;

private:
    class entry;

    std::shared_ptr<store::upload_reservations> rows_;
    base::random_source& random_;
};

} // namespace xentz::apps
