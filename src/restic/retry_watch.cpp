#include "restic/retry_watch.hpp"

#include "restic/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace xentz::restic {
namespace {

using base::fault_code;

constexpr std::string_view retry_mark = " returned error, retrying after ";

// "Save(<data/12>) returned error, retrying after 1.5s: 507 ..."
struct retry {
    std::string call;
    retry_watch::duration wait;
    std::string cause;
};

std::optional<retry> parse_retry(std::string_view line)
{
    const auto at = line.find(retry_mark);
    if (at == std::string_view::npos) return std::nullopt;
    const auto rest = line.substr(at + retry_mark.size());
    const auto colon = std::min(rest.find(": "), rest.size());
    return retry{.call = printable(line.substr(0, at)),
                 .wait = parse_go_duration(rest.substr(0, colon)).value_or(retry_watch::duration{}),
                 .cause = printable(rest.substr(std::min(colon + 2, rest.size())))};
}

// What restic does before it can work: it finds the repository and tries its keys.
bool is_opening(std::string_view call)
{
    constexpr auto marks = std::to_array<std::string_view>({"<config/", "<key/", "List(key)"});
    return std::ranges::any_of(marks, [&](auto mark) { return call.find(mark) != std::string_view::npos; });
}

} // namespace

std::optional<std::chrono::microseconds> parse_go_duration(std::string_view text)
{
    struct unit {
        std::string_view name;
        double seconds;
    };
    // In this order: "m" begins "ms".
    constexpr auto units =
        std::to_array<unit>({{"h", 3600}, {"ms", 1e-3}, {"m", 60}, {"s", 1}, {"µs", 1e-6}, {"ns", 1e-9}});
    double seconds = 0;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        double number = 0;
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
        if (error != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const auto* u = std::ranges::find_if(units, [&](const unit& one) { return text.starts_with(one.name); });
        if (u == units.end()) return std::nullopt;
        text.remove_prefix(u->name.size());
        seconds += number * u->seconds;
    }
    constexpr double longest = 1e9;
    return std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::duration<double>{std::min(seconds, longest)});
}

void retry_watch::read_out(std::string_view line)
{
    open_ = true;
    done_ = done_ || line.starts_with(R"({"message_type":"summary")");
}

std::optional<finding> retry_watch::read_err(std::string_view line, duration since_start)
{
    const auto found = done_ ? std::nullopt : parse_retry(line);
    if (!found) return std::nullopt;
    // As newer versions say it when they do not try again.
    const auto words = found->call + " failed: " + found->cause;
    auto cause = find_cause(op_, {words}, false);
    if (cause && in_vain(*cause, found->call)) return cause;
    if (open_ || !is_opening(found->call) || since_start + found->wait <= longest_opening_) return std::nullopt;
    return finding{cause ? cause->code : fault_code::repository_unreachable, words};
}

bool retry_watch::in_vain(const finding& f, std::string_view call) const
{
    // The work goes on without: a lock that stays is no reason to give up what it protected.
    if (call.starts_with("Remove(<lock/") && op_ != operation::unlock) return false;
    using enum fault_code;
    if (f.code == tls_failed) return !open_ && is_opening(call);
    return f.code == repository_full || f.code == repository_refused || f.code == repository_append_only;
}

} // namespace xentz::restic
