// Where room for uploads is spoken for before their first byte, so that parallel uploads never exceed a quota by a
// byte. Two books: memory_room_book for a storage that one process serves, and one in the fleet's database for a bucket
// that several processes serve (apps/xentz-server/shared_room_book.hpp).
//
// The contract, checked by one suite over both (tests/contract/room):
// - a reservation counts until its object is counted by the journal, or until it is destroyed;
// - what is reserved and what the journal counts never exceed a quota together, whoever reserves at the same time;
// - a refusal is exact: no object is counted twice in it.
// Faults: repository_full; repository_unavailable where the book cannot be read.
// Threads: a book may be used from any thread at once, a reservation by one at a time. A book outlives its
// reservations.
#pragma once

#include "repo/room.hpp"

#include <memory>

namespace xentz::repo {

class reservation {
public:
    virtual ~reservation() = default; // gives the room back
    // Before the object is made durable: whether the room is still reserved. Then the object has to be counted, or the
    // reservation destroyed, soon.
    virtual base::result<> settle() = 0;
};

class room_book {
public:
    virtual ~room_book() = default;
    virtual base::result<std::unique_ptr<reservation>> reserve(const object_key& key, std::uint64_t bytes) = 0;
};

} // namespace xentz::repo
