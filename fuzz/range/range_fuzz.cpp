// Whatever a Range header says of an object of whatever size (the first eight bytes): what is to be sent lies within
// the object, and a plain "bytes=first-last" means what it says.
#include "repo/range.hpp"
#include "require.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

namespace xentz::repo {
namespace {

using fuzz::require;

void check(std::string_view header, std::uint64_t size)
{
    const auto r = parse_range(header, size);
    switch (r.kind) {
    case byte_range::how::whole:
        require(r.first == 0 && r.length == size);
        return;
    case byte_range::how::unsatisfiable:
        require(r.length == 0 && size > 0);
        return;
    case byte_range::how::part:
        break;
    }
    require(r.length > 0 && r.first < size && r.length <= size - r.first);
    // Said again in its plainest form, it is the same range.
    const auto plain = "bytes=" + std::to_string(r.first) + "-" + std::to_string(r.first + (r.length - 1));
    require(parse_range(plain, size) == r);
}

} // namespace
} // namespace xentz::repo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::uint64_t bytes = 0;
    if (size < sizeof bytes) return 0;
    std::memcpy(&bytes, data, sizeof bytes);
    const std::string header(data + sizeof bytes, data + size);
    for (const auto of_object :
         {bytes, bytes % 1000, std::uint64_t{0}, std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()})
        xentz::repo::check(header, of_object);
    return 0;
}
