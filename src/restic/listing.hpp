// Reads restic's lists: snapshots, the nodes of a snapshot, what forget kept and removed, what prune freed.
//
// Threads: pure functions.
// Errors: nothing where the line is not what it should be; no exceptions.
#pragma once

#include "engine/engine.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::restic {

// The array that `snapshots --json` prints, oldest first.
std::optional<std::vector<engine::snapshot>> parse_snapshots(std::string_view line);

// One line of `ls --json` about a node. The first line of a list is about the snapshot.
std::optional<engine::node> parse_node(std::string_view line);
bool is_snapshot_line(std::string_view line);

// The array that `forget --json` prints: one element per group. A list in it may be null.
std::optional<engine::retention_outcome> parse_forget(std::string_view line);

// The id in what `cat config` prints.
std::optional<std::string> parse_repository_id(std::string_view document);

// The ids that `list` prints, one on a line; other lines are no ids.
std::vector<std::string> parse_ids(std::string_view text);

// What `cat lock` prints; its id is not in it.
std::optional<engine::lock> parse_lock(std::string_view document);

// The array that `key list --json` prints.
std::optional<std::vector<engine::key>> parse_keys(std::string_view line);

// "total prune:  7 blobs / 22.589 KiB", as bytes.
std::optional<std::uint64_t> parse_prune_total(std::string_view line);

} // namespace xentz::restic
