#include "base/id.hpp"

#include "base/hex.hpp"

#include <array>

namespace xentz::base {

std::string make_id_text(std::string_view kind, random_source& random)
{
    std::array<std::uint8_t, 10> bytes{};
    random.fill(bytes);
    return std::string{kind} + "_" + to_hex(bytes);
}

} // namespace xentz::base
