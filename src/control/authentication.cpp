#include "control/authentication.hpp"

#include "base/time_text.hpp"

namespace xentz::control {
namespace {

// A call within this time of the last sign of life writes none: each would cost a sync of the database.
constexpr std::chrono::minutes sign_of_life_holds{1};

bool is_fresh(const std::optional<base::time_point>& last_seen, base::time_point now)
{
    return last_seen && now - *last_seen < sign_of_life_holds;
}

} // namespace

std::expected<store::device, http::problem> authenticate_device(services& s, const http::request_head& head)
{
    const auto key = http::bearer_token(head);
    if (!key)
        return std::unexpected(
            http::problem{401, "unauthorized", "no device key", "Send the device key as Authorization: Bearer KEY."});
    const auto hash = crypto::token_hash(*key);
    auto device = s.store.find_device_by_key(hash);
    if (!device || !crypto::equal(device->key_hash, hash))
        return std::unexpected(http::problem{401, "unauthorized", "unknown device key",
                                             "This key belongs to no device of this server. Enrol the machine again."});
    if (device->revoked_at)
        return std::unexpected(http::problem{403, "device-revoked", "device revoked",
                                             "This device was revoked on " + base::to_rfc3339(*device->revoked_at) +
                                                 ". Ask an administrator."});
    if (const auto now = s.clock.now(); !is_fresh(device->last_seen_at, now)) s.store.touch_device(device->id, now);
    return std::move(*device);
}

} // namespace xentz::control
