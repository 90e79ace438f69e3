#include "restic/listing.hpp"

#include "base/time_text.hpp"
#include "restic/json_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

namespace xentz::restic {
namespace {

engine::snapshot read_snapshot(const boost::json::object& o)
{
    return {.id = text_of(o, "id").value_or(""),
            .short_id = text_of(o, "short_id").value_or(""),
            .time = text_of(o, "time").value_or(""),
            .hostname = text_of(o, "hostname").value_or(""),
            .paths = texts_of(o, "paths"),
            .tags = texts_of(o, "tags")};
}

// Not by the text: snapshots of one repository may have been made in different time zones.
std::pair<base::time_point, std::string> age(const engine::snapshot& s)
{
    return {base::parse_rfc3339(s.time).value_or(base::time_point{}), s.id};
}

bool is_struct(const boost::json::object& o, std::string_view kind)
{
    return text_of(o, "struct_type") == kind || text_of(o, "message_type") == kind;
}

bool is_id(std::string_view text)
{
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

struct unit {
    std::string_view name;
    double bytes;
};

constexpr auto units = std::to_array<unit>({{"B", 1.0},
                                            {"KiB", 1024.0},
                                            {"MiB", 1024.0 * 1024},
                                            {"GiB", 1024.0 * 1024 * 1024},
                                            {"TiB", 1024.0 * 1024 * 1024 * 1024}});

// "22.589 KiB"
std::optional<std::uint64_t> parse_size(std::string_view text)
{
    double number = 0;
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || !(number >= 0) || at == end || *at != ' ') return std::nullopt;
    const auto name = text.substr(static_cast<std::size_t>(at - text.data()) + 1);
    const auto* found = std::ranges::find(units, name, &unit::name);
    constexpr double too_much = 1e18;
    if (found == units.end() || number * found->bytes > too_much) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(number * found->bytes));
}

} // namespace

std::optional<std::vector<engine::snapshot>> parse_snapshots(std::string_view line)
{
    const auto array = parse_array(line);
    if (!array) return std::nullopt;
    std::vector<engine::snapshot> list;
    for (const auto& item : *array) {
        const auto* object = item.if_object();
        if (object == nullptr) return std::nullopt;
        list.push_back(read_snapshot(*object));
        if (list.back().id.empty()) return std::nullopt;
    }
    std::ranges::sort(list, {}, age);
    return list;
}

std::optional<engine::node> parse_node(std::string_view line)
{
    const auto object = parse_object(line);
    if (!object || !is_struct(*object, "node")) return std::nullopt;
    return engine::node{.path = text_of(*object, "path").value_or(""),
                        .type = text_of(*object, "type").value_or(""),
                        .size = count_of(*object, "size").value_or(0),
                        .mtime = text_of(*object, "mtime").value_or(""),
                        .ctime = text_of(*object, "ctime").value_or("")};
}

bool is_snapshot_line(std::string_view line)
{
    const auto object = parse_object(line);
    return object && is_struct(*object, "snapshot");
}

std::optional<engine::retention_outcome> parse_forget(std::string_view line)
{
    const auto array = parse_array(line);
    if (!array) return std::nullopt;
    engine::retention_outcome outcome;
    for (const auto& item : *array) {
        const auto* group = item.if_object();
        // Prune's progress begins with a bracket, too: "[0:00] 100.00%".
        if (group == nullptr || !group->contains("keep")) return std::nullopt;
        if (const auto* kept = array_of(*group, "keep")) outcome.kept += kept->size();
        const auto* removed = array_of(*group, "remove");
        if (removed == nullptr) continue;
        for (const auto& entry : *removed) {
            ++outcome.removed;
            const auto* snapshot = entry.if_object();
            if (snapshot != nullptr) outcome.removed_ids.push_back(text_of(*snapshot, "id").value_or(""));
        }
    }
    return outcome;
}

std::optional<std::string> parse_repository_id(std::string_view document)
{
    const auto object = parse_object(document);
    auto id = object ? text_of(*object, "id") : std::nullopt;
    return id && is_id(*id) ? id : std::nullopt;
}

std::vector<std::string> parse_ids(std::string_view text)
{
    std::vector<std::string> ids;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (const auto line = text.substr(0, end); is_id(line)) ids.emplace_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return ids;
}

std::optional<engine::lock> parse_lock(std::string_view document)
{
    const auto object = parse_object(document);
    const auto since = object ? base::parse_rfc3339(text_of(*object, "time").value_or("")) : std::nullopt;
    if (!since) return std::nullopt;
    const auto* exclusive = object->if_contains("exclusive");
    return engine::lock{.id = {},
                        .since = *since,
                        .exclusive = exclusive != nullptr && exclusive->is_bool() && exclusive->get_bool(),
                        .host = text_of(*object, "hostname").value_or(""),
                        .user = text_of(*object, "username").value_or(""),
                        .process_id = static_cast<std::int64_t>(count_of(*object, "pid").value_or(0))};
}

std::optional<std::vector<engine::key>> parse_keys(std::string_view line)
{
    const auto array = parse_array(line);
    if (!array) return std::nullopt;
    std::vector<engine::key> keys;
    for (const auto& item : *array) {
        const auto* object = item.if_object();
        if (object == nullptr) return std::nullopt;
        const auto* current = object->if_contains("current");
        keys.push_back({.id = text_of(*object, "id").value_or(""),
                        .current = current != nullptr && current->is_bool() && current->get_bool(),
                        .host = text_of(*object, "hostName").value_or("")});
        if (keys.back().id.empty()) return std::nullopt;
    }
    return keys;
}

std::optional<std::uint64_t> parse_prune_total(std::string_view line)
{
    constexpr std::string_view mark = "total prune:";
    if (!line.starts_with(mark)) return std::nullopt;
    const auto slash = line.find(" / ");
    if (slash == std::string_view::npos) return std::nullopt;
    return parse_size(line.substr(slash + 3));
}

} // namespace xentz::restic
