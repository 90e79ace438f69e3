// Which restic this is. What it can do and how it prints depends on it (CHANGELOG of restic).
//
// Threads: values, no shared state.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace xentz::restic {

struct version {
    int major = 0;
    int minor = 0;
    int patch = 0;
    auto operator<=>(const version&) const = default;
};

// The oldest one that the engine knows how to speak to (Debian 12's).
constexpr version oldest_supported{0, 14, 0};
constexpr version first_with_sparse_restore{0, 15, 0};
constexpr version first_with_read_concurrency{0, 15, 0};
constexpr version first_with_restore_json{0, 16, 0};
constexpr version first_with_check_json{0, 18, 0};

// From what `restic version` prints, as text ("restic 0.14.0 compiled with ...") or as JSON.
std::optional<version> parse_version(std::string_view output);

std::string to_text(const version& v); // "0.14.0"

} // namespace xentz::restic
