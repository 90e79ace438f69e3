#include "base/redactor.hpp"

#include <algorithm>

namespace xentz::base {
namespace {

constexpr std::string_view mask = "***";
constexpr std::size_t shortest_secret = 6;

struct span {
    std::size_t begin;
    std::size_t end;
};

// Where secrets stand, overlapping ones as one: the rest of a secret that shares its beginning with another one's end
// must not stay.
std::vector<span> find_secrets(std::string_view text, const std::vector<std::string>& secrets)
{
    std::vector<span> found;
    for (const auto& secret : secrets)
        for (auto at = text.find(secret); at != std::string_view::npos; at = text.find(secret, at + 1))
            found.push_back({at, at + secret.size()});
    std::ranges::sort(found, {}, &span::begin);
    std::vector<span> merged;
    for (const auto& s : found) {
        if (merged.empty() || s.begin >= merged.back().end)
            merged.push_back(s);
        else
            merged.back().end = std::max(merged.back().end, s.end);
    }
    return merged;
}

std::string without_secrets(std::string_view text, const std::vector<std::string>& secrets)
{
    std::string out;
    std::size_t copied = 0;
    for (const auto& s : find_secrets(text, secrets)) {
        out += text.substr(copied, s.begin - copied);
        out += mask;
        copied = s.end;
    }
    out += text.substr(copied);
    return out;
}

// scheme://user:PASSWORD@host; a password ends at the last '@' before a slash, a blank or a quote.
void mask_url_passwords(std::string& text)
{
    constexpr std::string_view separator = "://";
    for (auto at = text.find(separator); at != std::string::npos; at = text.find(separator, at + separator.size())) {
        const auto begin = at + separator.size();
        const auto end = std::min(text.find_first_of("/ \t\"'<>", begin), text.size());
        const auto authority = std::string_view{text}.substr(begin, end - begin);
        const auto last_at = authority.rfind('@');
        const auto colon = authority.find(':');
        if (last_at == std::string_view::npos || colon == std::string_view::npos || colon > last_at) continue;
        text.replace(begin + colon + 1, last_at - colon - 1, mask);
    }
}

} // namespace

void redactor::add(std::string_view secret)
{
    if (secret.size() < shortest_secret) return;
    const std::scoped_lock lock{mutex_};
    if (std::ranges::find(secrets_, secret) == secrets_.end()) secrets_.emplace_back(secret);
}

std::string redactor::clean(std::string_view text) const
{
    const std::scoped_lock lock{mutex_};
    auto out = without_secrets(text, secrets_);
    mask_url_passwords(out);
    return out;
}

} // namespace xentz::base
