// SHA-256 and HMAC-SHA-256 (OpenSSL), and a comparison whose time does not depend on the contents.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace xentz::crypto {

using digest = std::array<std::uint8_t, 32>;

class sha256 {
public:
    sha256();
    ~sha256();
    sha256(sha256&&) noexcept;
    sha256& operator=(sha256&&) noexcept;
    void update(std::span<const char> bytes);
    digest finish(); // once

private:
    struct state;
    std::unique_ptr<state> state_;
};

digest sha256_of(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view message);

// Constant time for texts of the same length.
bool equal(std::string_view a, std::string_view b);

} // namespace xentz::crypto
