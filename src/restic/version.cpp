#include "restic/version.hpp"

#include "restic/json_line.hpp"

#include <array>
#include <charconv>

namespace xentz::restic {
namespace {

// "0.14.0", also with something behind it: "0.19.1-dev".
std::optional<version> parse_numbers(std::string_view text)
{
    std::array<int, 3> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (i > 0) {
            if (!text.starts_with('.')) return std::nullopt;
            text.remove_prefix(1);
        }
        const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
        if (error != std::errc{} || numbers[i] < 0) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    }
    return version{numbers[0], numbers[1], numbers[2]};
}

} // namespace

std::optional<version> parse_version(std::string_view output)
{
    if (const auto object = parse_object(output)) return parse_numbers(text_of(*object, "version").value_or(""));
    constexpr std::string_view program = "restic ";
    if (!output.starts_with(program)) return std::nullopt;
    return parse_numbers(output.substr(program.size()));
}

std::string to_text(const version& v)
{
    return std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
}

} // namespace xentz::restic
