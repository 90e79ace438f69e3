// Where it is written down which objects came and went. Implemented over the fleet's database (apps/xentz-server),
// faked in tests. A row says where the bytes of an object belong; the file follows it.
//
// Threads: may be used from any thread at once. An implementation that cannot answer throws.
#pragma once

#include "repo/blob_store.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace xentz::repo {

struct object_identity {
    object_key key;
    std::string hash; // SHA-256 of its bytes; for all but the config the name
    std::uint64_t bytes = 0;
};

class journal {
public:
    virtual ~journal() = default;
    // No effect where it is known to be present.
    virtual void arrived(const object_identity& o) = 0;
    // The place of the trash that its bytes go to; nothing where they are to be removed for good.
    virtual std::optional<std::int64_t> departing(const object_identity& o) = 0;
    // The bytes could not be moved to that place.
    virtual void stayed(const object_identity& o, std::int64_t place) = 0;
};

} // namespace xentz::repo
