// Strong ids: a device's id cannot be passed where a tenant's is expected. The text is
// `<kind>_<20 lower-case hex digits>` (80 random bits), safe in URLs, file names and logs.
#pragma once

#include "base/random.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace xentz::base {

template <class Tag>
struct id {
    std::string text;
    auto operator<=>(const id&) const = default;
};

// `kind` is the prefix without the underscore, for example "dev".
std::string make_id_text(std::string_view kind, random_source& random);

template <class Id>
Id make_id(std::string_view kind, random_source& random)
{
    return Id{make_id_text(kind, random)};
}

} // namespace xentz::base
