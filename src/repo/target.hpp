// The path of a request to the repository server, taken apart: /<tenant>/<device>/<user>/ and then what restic's REST
// back end asks for below it. Strict: nothing is decoded and nothing is cleaned up, so no path has two spellings and
// none can leave the repository. Source: restic doc/REST_backend.rst.
//
// Threads: pure functions.
#pragma once

#include "repo/blob_store.hpp"
#include "repo/ledger.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace xentz::repo {

// `[a-z0-9._-]{1,64}`, not "." or "..".
bool is_address_segment(std::string_view text);

struct located {
    address where;
    std::string_view rest; // what follows the address's last '/'; a part of the path
};

// Nothing where the path does not begin with three segments, each ended by '/'.
std::optional<located> parse_address(std::string_view path);

enum class resource_kind {
    repository, // ""
    config,     // "config"
    list,       // "<type>/", also "<type>"
    object,     // "<type>/<64 hex digits>"
    bad_name,   // "<type>/<anything else>"
    unknown
};

struct resource {
    resource_kind kind = resource_kind::unknown;
    object_type type = object_type::config;
    std::string name; // of an object
    bool operator==(const resource&) const = default;
};

resource parse_resource(std::string_view rest);

} // namespace xentz::repo
