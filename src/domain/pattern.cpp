#include "domain/pattern.hpp"

#include <filesystem>
#include <optional>

namespace xentz::domain {
namespace {

constexpr std::string_view wildcards = "*?[";

// The path that a pattern without wildcards stands for.
std::optional<std::string> literal_path(std::string_view pattern)
{
    std::string path;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (wildcards.contains(pattern[i])) return std::nullopt;
        if (pattern[i] == '\\') ++i; // the next one as it is
        if (i == pattern.size()) return std::nullopt;
        path += pattern[i];
    }
    return path;
}

// restic cleans patterns and paths before it compares them: "/a//b/./" is "/a/b".
std::string cleaned(std::string_view path)
{
    auto text = std::filesystem::path{path}.lexically_normal().string();
    text.erase(0, text.starts_with("//") ? 1 : 0);
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
}

} // namespace

std::string literal_pattern(std::string_view path)
{
    std::string pattern;
    for (const char c : path) {
        if (wildcards.contains(c) || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern;
}

bool takes_away(std::string_view pattern, std::string_view path)
{
    if (!pattern.starts_with('/')) return false;
    const auto folder = literal_path(pattern);
    return folder && lies_in(path, *folder);
}

bool lies_in(std::string_view path, std::string_view folder)
{
    const auto inner = cleaned(path);
    const auto outer = cleaned(folder);
    return outer == "/" || inner == outer || inner.starts_with(outer + "/");
}

} // namespace xentz::domain
