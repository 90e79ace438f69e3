#include "base/redactor.hpp"

#include <algorithm>

namespace xentz::base {
namespace {

constexpr std::string_view mask = "***";
constexpr std::size_t shortest_secret = 6;

void replace_all(std::string& text, std::string_view what)
{
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + mask.size()))
        text.replace(at, what.size(), mask);
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
    // Longest first, so that a secret which contains another is replaced whole.
    std::ranges::sort(secrets_, std::ranges::greater{}, &std::string::size);
}

std::string redactor::clean(std::string_view text) const
{
    std::string out{text};
    const std::scoped_lock lock{mutex_};
    for (const auto& secret : secrets_) replace_all(out, secret);
    mask_url_passwords(out);
    return out;
}

} // namespace xentz::base
