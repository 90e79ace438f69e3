#include "domain/conditions.hpp"

#include "domain/rules.hpp"

#include <cctype>

namespace xentz::domain {
namespace {

constexpr std::uint32_t longest_deadline = 720;
constexpr std::chrono::minutes day{24 * 60};
constexpr std::chrono::minutes shortest_window{120};

// "HH:MM", 00:00 to 23:59.
std::optional<std::chrono::minutes> time_of_day(const std::string& text)
{
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    for (const std::size_t i : {0U, 1U, 3U, 4U})
        if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) return std::nullopt;
    const int hour = (text[0] - '0') * 10 + (text[1] - '0');
    const int minute = (text[3] - '0') * 10 + (text[4] - '0');
    if (hour > 23 || minute > 59) return std::nullopt;
    return std::chrono::minutes{hour * 60 + minute};
}

bool lies_within(std::chrono::minutes time, std::chrono::minutes from, std::chrono::minutes to)
{
    return from < to ? from <= time && time < to : from <= time || time < to;
}

base::result<> validate(const std::string& field, const patience& p)
{
    if (p.deadline_hours >= 1 && p.deadline_hours <= longest_deadline) return {};
    return rules::wrong(field + ".deadline_hours", "must be 1 to 720, not " + std::to_string(p.deadline_hours));
}

base::result<> validate(const window& w)
{
    const auto from = time_of_day(w.from);
    const auto to = time_of_day(w.to);
    if (!from || !to)
        return rules::wrong(std::string{"conditions.only_within."} + (from ? "to" : "from"),
                            "must be a time such as 22:00, not \"" + (from ? w.to : w.from) + "\"");
    if ((*to - *from + day) % day < shortest_window)
        return rules::wrong("conditions.only_within", "must be at least two hours long");
    return validate("conditions.only_within", static_cast<const patience&>(w));
}

} // namespace

base::result<> validate(const conditions& c)
{
    if (c.not_on_battery)
        if (auto ok = validate("conditions.not_on_battery", *c.not_on_battery); !ok) return ok;
    if (c.not_on_metered)
        if (auto ok = validate("conditions.not_on_metered", *c.not_on_metered); !ok) return ok;
    return c.only_within ? validate(*c.only_within) : base::result<>{};
}

std::optional<hindrance> find_hindrance(const conditions& c, const moment& now)
{
    const auto has_time = [&](const patience& p) { return now.waited < std::chrono::hours{p.deadline_hours}; };
    const auto found = [](std::string why, const patience& p) {
        return hindrance{std::move(why), std::chrono::hours{p.deadline_hours}};
    };
    if (c.only_within && has_time(*c.only_within)) {
        const auto from = time_of_day(c.only_within->from);
        const auto to = time_of_day(c.only_within->to);
        if (from && to && !lies_within(now.time_of_day, *from, *to))
            return found("it is not between " + c.only_within->from + " and " + c.only_within->to, *c.only_within);
    }
    if (c.not_on_battery && now.on_battery && has_time(*c.not_on_battery))
        return found("this machine runs on battery", *c.not_on_battery);
    if (c.not_on_metered && now.on_metered && has_time(*c.not_on_metered))
        return found("this machine is on a metered connection", *c.not_on_metered);
    return std::nullopt;
}

} // namespace xentz::domain
