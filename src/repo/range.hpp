// The Range header of a GET (RFC 9110 section 14): one range of bytes. Several ranges, other units and what is no
// range at all are ignored, as the RFC allows; so is any range of an empty object, which could never be satisfied.
//
// Threads: a pure function.
#pragma once

#include <cstdint>
#include <string_view>

namespace xentz::repo {

struct byte_range {
    enum class how { whole, part, unsatisfiable };
    how kind = how::whole;
    std::uint64_t first = 0;
    std::uint64_t length = 0; // of what is to be sent; 0 where nothing can be
    bool operator==(const byte_range&) const = default;
};

byte_range parse_range(std::string_view header, std::uint64_t size);

} // namespace xentz::repo
