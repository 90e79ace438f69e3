// Who calls: a device by its key (Authorization: Bearer xdk_...).
#pragma once

#include "control/services.hpp"
#include "http/message.hpp"

#include <expected>

namespace xentz::control {

// The device, its sign of life noted to the minute. Otherwise the answer: 401 `unauthorized` for a missing or unknown
// key, 403 `device-revoked` for a device that was sent away.
std::expected<store::device, http::problem> authenticate_device(services& s, const http::request_head& head);

} // namespace xentz::control
