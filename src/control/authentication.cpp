#include "control/authentication.hpp"

#include "base/time_text.hpp"

namespace xentz::control {

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
    s.store.touch_device(device->id, s.clock.now());
    return std::move(*device);
}

} // namespace xentz::control
