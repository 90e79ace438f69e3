// The answer of GET /v1/config: the device's policy, what the device asked for when it enrolled, and what only the
// server knows.
#pragma once

#include "control/services.hpp"
#include "wire/messages.hpp"

#include <optional>
#include <string>

namespace xentz::control {

struct config_document {
    std::string body;    // JSON
    std::string version; // opaque; changes whenever anything else in the body does
    std::string etag() const { return "\"" + version + "\""; }
};

// Pure: the same inputs give the same bytes.
config_document make_config_document(const domain::policy& policy, const store::device& device,
                                     const std::string& repository_address, const std::string& protection,
                                     const std::optional<std::string>& backup_now = std::nullopt);

config_document config_document_of(services& s, const store::device& device);

// RFC 9110 13.1.2, weak comparison; "*" matches.
bool matches_etag(std::string_view if_none_match, std::string_view etag);

} // namespace xentz::control
