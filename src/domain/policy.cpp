#include "domain/policy.hpp"

#include "domain/calendar.hpp"

#include "base/utf8.hpp"
#include "domain/rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <string_view>

namespace xentz::domain {
namespace {

constexpr std::size_t longest_path = 4096;
constexpr std::uint32_t most_kept = 100'000;
constexpr std::size_t longest_tag = 100;

using rules::at;
using rules::wrong;

// A word that is not there is none.
base::result<> check_word(std::string_view field, const std::optional<std::string>& word,
                          std::initializer_list<std::string_view> known)
{
    return word ? rules::check_word(field, *word, known) : base::result<>{};
}

// restic's duration: numbers each followed by y, m, d or h, in that order.
bool is_restic_duration(std::string_view t)
{
    constexpr std::string_view units = "ymdh";
    if (t.empty() || t.size() > 32) return false;
    std::size_t next_unit = 0;
    std::size_t digits = 0;
    for (const char c : t) {
        if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
            ++digits;
            continue;
        }
        const auto unit = units.find(c, next_unit);
        if (unit == std::string_view::npos || digits == 0 || digits > 6) return false;
        next_unit = unit + 1;
        digits = 0;
    }
    return digits == 0;
}

base::result<> check_list(std::string_view field, const std::vector<std::string>& items, std::size_t most = most_paths)
{
    if (items.size() > most) return wrong(field, "has more than " + std::to_string(most) + " entries");
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto item = at(field, i);
        if (items[i].empty()) return wrong(item, "is empty");
        if (items[i].size() > longest_path) return wrong(item, "is longer than 4096 bytes");
        if (items[i].find_first_of(std::string_view{"\0\n\r", 3}) != std::string::npos)
            return wrong(item, "contains a NUL or a line break");
        if (!base::is_utf8(items[i])) return wrong(item, "is not UTF-8");
    }
    return {};
}

bool is_absolute(std::string_view path)
{
    const bool drive = path.size() >= 3 && std::isalpha(static_cast<unsigned char>(path[0])) != 0 && path[1] == ':' &&
                       (path[2] == '\\' || path[2] == '/');
    return path.front() == '/' || path.starts_with("\\\\") || drive;
}

base::result<> check_paths(std::string_view field, const std::vector<std::string>& paths, std::size_t most = most_paths)
{
    if (auto r = check_list(field, paths, most); !r) return r;
    for (std::size_t i = 0; i < paths.size(); ++i)
        if (!is_absolute(paths[i])) return wrong(at(field, i), "must be an absolute path, not \"" + paths[i] + "\"");
    return {};
}

base::result<> check_range(std::string_view field, std::optional<std::uint32_t> value, std::uint32_t least,
                           std::uint32_t most)
{
    if (!value || (*value >= least && *value <= most)) return {};
    return wrong(field, "must be " + std::to_string(least) + " to " + std::to_string(most) + ", not " +
                            std::to_string(*value));
}

// restic takes a comma for "both of these tags", so it is no part of one.
base::result<> check_tags(const std::vector<std::string>& tags)
{
    if (auto r = check_list("restic.tags", tags); !r) return r;
    for (std::size_t i = 0; i < tags.size(); ++i)
        if (tags[i].find(',') != std::string::npos || tags[i].size() > longest_tag)
            return wrong(at("restic.tags", i), "must be at most 100 bytes without a comma");
    for (std::size_t i = 0; i < tags.size(); ++i)
        if (is_own_tag(tags[i]))
            return wrong(at("restic.tags", i), "is a tag by which the agent tells its snapshots apart: " + tags[i]);
    return {};
}

} // namespace

std::string tag_of_dump(std::string_view name) { return std::string{dumps_tag} + "=" + std::string{name}; }

bool is_own_tag(std::string_view tag)
{
    return tag == files_tag || tag == dumps_tag || tag.starts_with(tag_of_dump(""));
}

bool keeps_nothing(const retention& r)
{
    const bool counts =
        r.keep_last != 0 || r.keep_daily != 0 || r.keep_weekly != 0 || r.keep_monthly != 0 || r.keep_yearly != 0;
    const bool within = r.keep_within && r.keep_within->find_first_of("123456789") != std::string::npos;
    return !counts && !within;
}

policy default_policy()
{
    policy p;
    p.schedule.jitter_minutes = 60;
    p.schedule.check_at = "Sun 05:00";
    // Not /run: /run/media is where disks of people are mounted. What FUSE mounts below /run/user nobody else may read.
    p.exclude = {"**/.cache",
                 "**/Library/Caches",
                 "**/.Trash*",
                 "**/.local/share/Trash",
                 "**/$RECYCLE.BIN",
                 "/proc",
                 "/sys",
                 "/dev",
                 "/run/user",
                 "/var/cache",
                 "/swapfile",
                 "/swap.img"};
    p.retention = {.keep_last = 3, .keep_daily = 7, .keep_weekly = 4, .keep_monthly = 12, .prune = true};
    return p;
}

base::result<> validate_include(const std::vector<std::string>& include, std::size_t most)
{
    return check_paths("include", include, most);
}

base::result<> validate_exclude(const std::vector<std::string>& exclude) { return check_list("exclude", exclude); }

base::result<> validate(const schedule& s)
{
    if (auto r = parse_calendar("schedule.daily_at", s.daily_at); !r) return base::failed(r);
    if (s.retention_at)
        if (auto r = parse_calendar("schedule.retention_at", *s.retention_at); !r) return base::failed(r);
    if (s.check_at)
        if (auto r = parse_calendar("schedule.check_at", *s.check_at); !r) return base::failed(r);
    if (s.jitter_minutes.value_or(0) > 1440) return wrong("schedule.jitter_minutes", "must be 0 to 1440");
    return {};
}

base::result<> validate(const restic_options& o)
{
    if (auto r = check_word("restic.compression", o.compression, {"auto", "off", "max"}); !r) return r;
    if (auto r = check_range("restic.read_concurrency", o.read_concurrency, 1, 64); !r) return r;
    if (auto r = check_range("restic.pack_size_mib", o.pack_size_mib, 4, 128); !r) return r;
    if (auto r = check_range("restic.longest_run_minutes", o.longest_run_minutes, 1, 7 * 24 * 60); !r) return r;
    if (auto r = check_word("restic.cpu_priority", o.cpu_priority, {"normal", "low", "idle"}); !r) return r;
    if (auto r = check_word("restic.io_priority", o.io_priority, {"normal", "low", "idle"}); !r) return r;
    if (o.exclude_files)
        if (auto r = check_paths("restic.exclude_files", *o.exclude_files); !r) return r;
    return check_tags(o.tags.value_or(std::vector<std::string>{}));
}

base::result<> validate(const retention& r)
{
    struct rule {
        std::string_view field;
        std::uint32_t value;
    };
    for (const auto& [field, value] :
         {rule{"retention.keep_last", r.keep_last}, rule{"retention.keep_daily", r.keep_daily},
          rule{"retention.keep_weekly", r.keep_weekly}, rule{"retention.keep_monthly", r.keep_monthly},
          rule{"retention.keep_yearly", r.keep_yearly}})
        if (value > most_kept) return wrong(field, "must be at most 100000");
    if (r.keep_within && !is_restic_duration(*r.keep_within))
        return wrong("retention.keep_within", "must be a duration such as 1y5m7d2h, not \"" + *r.keep_within + "\"");
    if (keeps_nothing(r)) return wrong("retention", "would keep no snapshot at all; set at least one keep_ value");
    return {};
}

base::result<> validate(const check_options& c)
{
    if (auto r = check_range("check.parts", c.parts, 1, 256); !r) return r;
    if (auto r = check_range("check.drill_files", c.drill_files, 0, 1000); !r) return r;
    return check_range("check.drill_mib", c.drill_mib, 1, 65536);
}

base::result<> validate(const policy& p)
{
    if (auto r = validate(p.schedule); !r) return r;
    if (auto r = validate_include(p.include); !r) return r;
    if (auto r = validate_exclude(p.exclude); !r) return r;
    if (auto r = validate(p.restic); !r) return r;
    if (auto r = validate(p.retention); !r) return r;
    if (auto r = validate(p.check.value_or(check_options{})); !r) return r;
    if (auto r = validate_hooks(p.hooks.value_or(std::vector<hook>{})); !r) return r;
    if (auto r = validate_dumps(p.dumps.value_or(std::vector<std::string>{})); !r) return r;
    if (auto r = validate(p.conditions.value_or(conditions{})); !r) return r;
    return validate_commands(p.commands.value_or(std::vector<command>{}));
}

} // namespace xentz::domain
